/** Webhooks of runs, and their signatures, checked by WebCrypto, whose comparison takes the same time for all. */

import { WebhookVerificationError } from "./errors.ts";
import type { Execution, RunRequest } from "./schemas.ts";

/** A webhook that is told of one run. */
export type RunWebhook = NonNullable<RunRequest["webhook"]>;

export interface WebhookToVerify {
  /** Secret of the webhook as Headrace shows it, or several while one is replaced. */
  secret: string | readonly string[];
  headers: Headers | Record<string, string | readonly string[] | undefined>;
  /** The raw body, as it came. */
  body: string | Uint8Array | ArrayBuffer;
  /** How far the time of the signature may be off, 300 by default. */
  toleranceSeconds?: number;
}

/** What a webhook tells. Which members are there depends on `event`. */
export interface WebhookEvent {
  event: string;
  executionId?: string;
  batchId?: string;
  workflowSlug?: string | null;
  status?: string;
  result?: unknown;
  error?: { code: string; message: string };
  /** Of `execution.waiting`; it has a `url` by the right of the setter of the webhook. */
  waiting?: Execution["waitingFor"][number];
  tags?: string[];
  sequence?: number;
  [name: string]: unknown;
}

/** The time, the signed text before the body, the signatures, and how the secret becomes a key. */
interface Signed {
  at: string;
  prefix: string;
  signatures: (Uint8Array<ArrayBuffer> | null)[];
  keyOf: (secret: string) => Uint8Array<ArrayBuffer> | null;
}

const MADE = "whsec_";
const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/**
 * Check a webhook and return its event.
 *
 * The headers of Standard Webhooks are checked where they are, else `X-Knouds-Signature`. Throws WebhookVerificationError.
 */
export async function verifyWebhook({ secret, headers, body, toleranceSeconds = 300 }: WebhookToVerify): Promise<WebhookEvent> {
  const signed = readStandard(headers) ?? readKnouds(headers);
  if (!signed) throw new WebhookVerificationError("The request has no signature");
  const isFresh = /^\d{1,15}$/.test(signed.at) && Math.abs(Date.now() / 1000 - Number(signed.at)) <= toleranceSeconds;
  if (!isFresh) throw new WebhookVerificationError(`The signature is more than ${toleranceSeconds} seconds off`);
  const bytes = typeof body === "string" ? encode(body) : new Uint8Array(body);
  const secrets = typeof secret === "string" ? [secret] : secret;
  for (const each of secrets) {
    const key = signed.keyOf(each);
    if (key?.length && (await isSigned(key, signed, bytes))) return parse(bytes);
  }
  throw new WebhookVerificationError("The request is not signed with this secret");
}

async function isSigned(secret: Uint8Array<ArrayBuffer>, { prefix, signatures }: Signed, body: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const start = encode(prefix);
  const message = new Uint8Array(start.length + body.length);
  message.set(start);
  message.set(body, start.length);
  for (const signature of signatures) {
    if (signature && (await crypto.subtle.verify("HMAC", key, signature, message))) return true;
  }
  return false;
}

function parse(body: Uint8Array): WebhookEvent {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as WebhookEvent;
  } catch (error) {
    throw new WebhookVerificationError("The body is signed, and no JSON", { cause: error });
  }
}

function readStandard(headers: WebhookToVerify["headers"]): Signed | null {
  const signature = header(headers, "webhook-signature");
  if (signature === null) return null;
  const [id, at] = [header(headers, "webhook-id") ?? "", header(headers, "webhook-timestamp") ?? ""];
  const given = signature.split(" ").filter((each) => each.startsWith("v1,"));
  return {
    at,
    prefix: `${id}.${at}.`,
    signatures: given.map((each) => fromBase64(each.slice("v1,".length))),
    keyOf: (secret) => (secret.startsWith(MADE) ? fromBase64(secret.slice(MADE.length)) : encode(secret)),
  };
}

function readKnouds(headers: WebhookToVerify["headers"]): Signed | null {
  const text = header(headers, "x-knouds-signature");
  if (text === null) return null;
  const pairs = text.split(",").map((each) => each.split("="));
  const at = pairs.find(([name]) => name === "t")?.[1] ?? "";
  const given = pairs.filter(([name]) => name === "v1");
  return { at, prefix: `${at}.`, signatures: given.map(([, value]) => fromHex(value ?? "")), keyOf: encode };
}

function header(headers: WebhookToVerify["headers"], name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const found = Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  return found === undefined ? null : typeof found === "string" ? found : found.join(",");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function fromHex(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
