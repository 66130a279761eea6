/** Requests: one attempt after another, until an answer is there that no repetition betters. */

import { ApiError, apiError, ConnectionFailedError, type ErrorBody, HeadraceError } from "./errors.ts";
import { Pacer } from "./pacing.ts";
import { Backoff, Deadline, LONGEST_TIMER_MS } from "./waiting.ts";

/** How the client reaches the API. */
export interface ClientOptions {
  /** Address of the installation; by default `HEADRACE_URL` of the environment, else http://127.0.0.1:8000. */
  baseUrl?: string | undefined;
  /** The API key; by default `HEADRACE_API_KEY` of the environment. */
  apiKey?: string | undefined;
  /** Longest time for one attempt of a request in milliseconds, 60,000 by default; the time to wait for a run comes on top. */
  requestTimeoutMs?: number | undefined;
  /** Repetitions of a request whose connection or server failed, 4 by default. A 429 is waited for and not counted. */
  maxRetries?: number | undefined;
  /** Whether calls wait while the rate limit has no room, true by default; otherwise they are sent, and repeated after a 429. */
  pace?: boolean | undefined;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** One call of the API. */
export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Query | undefined;
  headers?: Record<string, string> | undefined;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  raw?: BodyInit | undefined;
  /** False for a call that may happen twice where its answer is lost. */
  isRepeatable?: boolean;
  /** Name of the rate limit that counts the call. */
  route?: string | undefined;
  /**
   * Longest time that the server waits before it answers, in milliseconds; each attempt asks for what is left of it.
   * The answer is awaited even if the call's time is over meanwhile.
   */
  longestWaitMs?: number;
}

export type Query = Record<string, string | number | boolean | Date | readonly string[] | null | undefined>;

/** An answer whose body is still to be read, and what ends its connection. */
export interface OpenAnswer {
  response: Response;
  hangUp: (reason?: unknown) => void;
}

const REPEATED = new Set([408, 425, 429, 502, 503, 504]);
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** Longest `Retry-After` that is waited for, and longest wait for room in all where the call has no `timeoutMs`. */
const LONGEST_RETRY_AFTER_MS = 120_000;
const LONGEST_LIMITED_MS = 600_000;
/** Calls that were told the same time are repeated within this time behind it. */
const SPREAD_MS = 500;
/** Time for the answer that names the run to a caller whose own time is over. */
const GRACE_MS = 5_000;

export class Transport {
  readonly maxRetries: number;
  readonly #url: string;
  readonly #key: string;
  readonly #requestTimeoutMs: number;
  readonly #fetch: typeof fetch;
  readonly #pacer: Pacer | null;

  constructor(options: ClientOptions) {
    const key = options.apiKey ?? variable("HEADRACE_API_KEY");
    if (!key) throw new HeadraceError("There is no API key: give `apiKey`, or set HEADRACE_API_KEY");
    this.#url = address(options.baseUrl ?? variable("HEADRACE_URL") ?? "http://127.0.0.1:8000");
    this.#key = key;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 60_000;
    this.maxRetries = options.maxRetries ?? 4;
    this.#pacer = options.pace === false ? null : new Pacer();
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Call, and return the answer's JSON. Throws ApiError, ConnectionFailedError, WaitTimeoutError. */
  async json<T>(call: Call, deadline: Deadline): Promise<T> {
    return this.#repeat(call, deadline, async ({ response, hangUp }) => {
      const text = await response.text();
      hangUp();
      return parse(text) as T;
    });
  }

  /** Call, and return the answer with its body unread. Throws as `json` does. */
  async open(call: Call, deadline: Deadline): Promise<OpenAnswer> {
    return this.#repeat(call, deadline, async (answer) => answer);
  }

  async #repeat<T>(call: Call, deadline: Deadline, read: (answer: OpenAnswer) => Promise<T>): Promise<T> {
    const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    const limited = new Deadline({ timeoutMs: LONGEST_LIMITED_MS });
    let retries = 0;
    for (;;) {
      deadline.check();
      if (call.route) await this.#pacer?.take(call.route, deadline);
      const outcome = await this.#attempt(call, deadline, read);
      if (!(outcome instanceof Failure)) return outcome;
      const { error } = outcome;
      const isLimited = error instanceof ApiError && error.status === 429;
      const mayRepeat = isLimited ? limited.leftMs > 0 : retries++ < this.maxRetries;
      const pause = pauseAfter(error, call, backoff);
      if (!mayRepeat || pause === null || pause >= deadline.leftMs) throw error;
      await deadline.pause(pause);
    }
  }

  /** Return what was read, or the failure. Throws the signal's reason, and WaitTimeoutError. */
  async #attempt<T>(call: Call, deadline: Deadline, read: (answer: OpenAnswer) => Promise<T>): Promise<T | Failure> {
    const attempt = new Attempt(deadline.signal);
    const { longestWaitMs } = call;
    const waitMs = longestWaitMs === undefined ? undefined : Math.min(longestWaitMs, deadline.leftMs);
    const graceMs = waitMs === undefined ? 0 : GRACE_MS;
    const mostMs = Math.min(this.#requestTimeoutMs + (waitMs ?? 0), deadline.leftMs + 1 + graceMs, LONGEST_TIMER_MS);
    const timer = setTimeout(() => attempt.end(new Error(`no answer in ${Math.ceil(mostMs)} ms`)), mostMs);
    let answer: Response | null = null;
    try {
      const response = await this.#fetch(this.#address(call, waitMs), this.#init(call, attempt.signal));
      answer = response;
      if (response.ok) return await read({ response, hangUp: attempt.end });
      const failure = await failureOf(response);
      attempt.end();
      return new Failure(failure);
    } catch (error) {
      const reason = attempt.signal.aborted ? attempt.signal.reason : error;
      attempt.end();
      deadline.check();
      return new Failure(connectionError(call, reason));
    } finally {
      clearTimeout(timer);
      if (call.route) this.#pacer?.note(call.route, answer);
    }
  }

  #address({ path, query }: Call, waitMs: number | undefined): string {
    const words = new URLSearchParams();
    const timeout = waitMs === undefined ? undefined : Math.ceil(waitMs) / 1000;
    for (const [name, value] of Object.entries({ ...query, timeout })) {
      if (value === undefined || value === null) continue;
      for (const each of Array.isArray(value) ? value : [value]) {
        words.append(name, each instanceof Date ? each.toISOString() : String(each));
      }
    }
    const search = words.toString();
    return `${this.#url}${path}${search && `?${search}`}`;
  }

  #init({ method, headers, json, raw }: Call, signal: AbortSignal): RequestInit {
    const sent: Record<string, string> = { "x-api-key": this.#key, accept: "application/json", ...headers };
    if (json !== undefined) sent["content-type"] = "application/json";
    const body = json === undefined ? raw : JSON.stringify(json);
    // A redirect would carry the key to another host.
    return { method, headers: sent, body: body ?? null, signal, redirect: "manual", credentials: "omit", cache: "no-store" };
  }
}

/** An attempt that gave no result. */
class Failure {
  readonly error: ApiError | ConnectionFailedError;

  constructor(error: ApiError | ConnectionFailedError) {
    this.error = error;
  }
}

/** One connection, which its caller's signal ends as well. */
class Attempt {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    if (outer?.aborted) this.#abort();
    outer?.addEventListener("abort", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #abort = (): void => this.#controller.abort(this.#outer?.reason);

  readonly end = (reason?: unknown): void => {
    this.#outer?.removeEventListener("abort", this.#abort);
    this.#controller.abort(reason);
  };
}

async function failureOf(response: Response): Promise<ApiError> {
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
    const place = response.headers.get("location") ?? "another address";
    return apiError(response.status, { error: `The server redirects to ${place}: give that as \`baseUrl\`` });
  }
  let body: unknown = null;
  try {
    body = JSON.parse(await response.text());
  } catch {
    // A proxy has answered, or the answer broke off: the status is all there is.
  }
  return apiError(response.status, body instanceof Object ? (body as ErrorBody) : {}, response.headers);
}

/** The pause before the next attempt in milliseconds; null: another one betters nothing. */
function pauseAfter(failure: ApiError | ConnectionFailedError, call: Call, backoff: Backoff): number | null {
  const own = backoff.next();
  if (!(failure instanceof ApiError)) return call.isRepeatable === false ? null : own;
  const { status, code, retryAfterMs } = failure;
  const isPassing = REPEATED.has(status) || (status === 500 && code === "INTERNAL_ERROR");
  // With an execution's id it is the end of a run, which stays as it is.
  if (!isPassing || failure.executionId !== null) return null;
  if (call.isRepeatable === false && status !== 429 && code !== "UNAVAILABLE") return null;
  if (retryAfterMs === null) return own;
  return retryAfterMs > LONGEST_RETRY_AFTER_MS ? null : retryAfterMs + Math.random() * SPREAD_MS;
}

function connectionError(call: Call, error: unknown): ConnectionFailedError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const words = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new ConnectionFailedError(`${call.method} ${call.path} failed: ${words}`, { cause: error });
}

function parse(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch (error) {
    throw new ConnectionFailedError("The answer is not JSON: it broke off, or no Headrace is at this address", { cause: error });
  }
}

function address(url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new HeadraceError(`${JSON.stringify(url)} is not an http or https address`);
  return url.replace(/\/+$/, "");
}

/** A variable of the environment; undefined where there is none, as in browsers. */
function variable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.[name];
  } catch {
    return undefined; // Deno without the permission to read it
  }
}

/** Return a path with its values encoded. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((all, part, index) => all + encodeURIComponent(values[index - 1] ?? "") + part);
}

/** Return a new key for `Idempotency-Key`. Browsers have no `randomUUID` on pages without TLS. */
export function makeKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
