/** Faults of a trigger's settings, by the member of the body. */

import type { ApiError } from "../../api/client";

export type Faults = Record<string, string>;

/** A reason of the server as a sentence. */
export function sentence(reason: string): string {
  const text = reason.trim();
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** The member that the server refuses and the reason; the field is empty where no member is at fault. */
export function refusalOf({ details, message }: ApiError): { field: string; reason: string } {
  const { field, reason } = details;
  if (typeof field !== "string") return { field: "", reason: message };
  return { field, reason: typeof reason === "string" ? sentence(reason) : message };
}

/** Move the caret to the first control at fault, once the page shows the faults of an answer. */
export function focusFault(): void {
  requestAnimationFrame(() => setTimeout(() => document.querySelector<HTMLElement>("form [aria-invalid]")?.focus()));
}
