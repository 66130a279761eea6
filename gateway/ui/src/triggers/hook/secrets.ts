/** Secrets of inbound webhooks: made here, or pasted from the sender. */

import { call } from "../../api/client";
import { SECRETS } from "../../api/paths";
import { invalidate } from "../../api/resource";
import type { VerifyKind } from "../../api/triggers";

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const RANDOM_BYTES = 32;
const FEWEST_BYTES = 8;

/** Return a random secret in the form that senders of a kind know. */
export function randomSecret(kind: VerifyKind): string {
  const base64 = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))));
  if (kind === "standard-webhooks") return `whsec_${base64}`;
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return a name that no secret has yet: the proposed one, or the same with a number. */
export function freeName(proposed: string, taken: readonly string[]): string {
  let name = proposed;
  for (let number = 2; taken.includes(name); number++) name = `${proposed}_${number}`;
  return name;
}

export function nameFault(name: string): string {
  return NAME.test(name) ? "" : "Use capital letters, digits and _, a letter first, such as GITHUB_WEBHOOK_SECRET.";
}

export function valueFault(value: string): string {
  if (!value) return "Paste the secret.";
  return new TextEncoder().encode(value).length < FEWEST_BYTES ? `It needs at least ${FEWEST_BYTES} characters.` : "";
}

/** Values that this document has made, by name: the server gives none back, and the steps at the sender come after the form. */
const made = new Map<string, string>();

/** Return the value that was made for a secret since the document was loaded. */
export function madeValue(name: string): string | undefined {
  return made.get(name);
}

/** Save the value of a secret; one that was made here is kept for the steps at the sender. Raises ApiError. */
export async function saveSecret(name: string, value: string, isMade = false): Promise<void> {
  await call("PUT", `${SECRETS}/${name}`, { value });
  if (isMade) made.set(name, value);
  else made.delete(name);
  invalidate(SECRETS);
}
