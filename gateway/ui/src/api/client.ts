/** Calls of the public API with the session of this browser. */

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, unknown>;
  /** Seconds after which the server would like to be asked again. */
  readonly retryAfter: number | null;

  constructor(status: number, body: Record<string, unknown>, retryAfter: string | null = null) {
    super(typeof body.error === "string" ? body.error : `The server answered ${status}.`);
    this.status = status;
    this.code = typeof body.code === "string" ? body.code : "";
    this.details = body;
    this.retryAfter = Number(retryAfter) || null;
  }
}

const TOO_MANY = 429;
const UNAVAILABLE = 503;

/** Seconds after which a refused call may come again, or null where that would not help. */
export function secondsToWait(error: unknown): number | null {
  if (!(error instanceof ApiError) || (error.status !== TOO_MANY && error.status !== UNAVAILABLE)) return null;
  return error.retryAfter ?? 5;
}

export const UNREACHABLE = "The server cannot be reached. Is the connection there?";

/** Read the error that an answer carries. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const body: unknown = await answer.json().catch(() => ({}));
  return new ApiError(answer.status, body as Record<string, unknown>, answer.headers.get("retry-after"));
}

const NOT_MODIFIED = 304;

async function send(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new ApiError(0, { error: UNREACHABLE });
  }
  if (!answer.ok && answer.status !== NOT_MODIFIED) throw await errorOf(answer);
  return answer;
}

export async function get<T>(path: string): Promise<T> {
  return (await send(path, {})).json() as Promise<T>;
}

/** Read an answer, or null where it still has the tag of a former one. */
export async function getChanged<T>(path: string, tag: string): Promise<T | null> {
  const answer = await send(path, { headers: { "if-none-match": tag }, cache: "no-store" });
  return answer.status === NOT_MODIFIED ? null : ((await answer.json()) as T);
}

/** Most bytes of a body that outlives its page. */
const MOST_KEPT_ALIVE = 60_000;

export async function call<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  isLeaving = false,
): Promise<T> {
  const init: RequestInit = { method, headers };
  if (body !== undefined) {
    init.headers = { ...headers, "content-type": "application/json" };
    init.body = JSON.stringify(body);
    init.keepalive = isLeaving && new Blob([init.body]).size < MOST_KEPT_ALIVE;
  }
  return (await send(path, init)).json() as Promise<T>;
}
