/** Statuses, reasons and times of triggers in words. */

import type { Occurrence, OccurrenceStatus, TriggerKind } from "../api/triggers";

export const KINDS: Record<TriggerKind, string> = { schedule: "Schedule", webhook: "Inbound webhook" };

export const STATUS_HINTS: Record<OccurrenceStatus, string> = {
  started: "A run began.",
  skipped: "No run began, as the settings say.",
  failed: "A run should have begun and could not.",
  missed: "The time passed while nothing could run.",
};

const REASONS: Record<string, string> = {
  still_running: "The run before was still running.",
  rate_limited: "The account's limit of runs a minute was used up.",
  condition_false: "The condition of the trigger was false.",
  invalid_inputs: "The inputs do not fit the workflow, or an expression failed.",
  workflow_not_runnable: "The workflow is deleted, archived or has no such version.",
  insufficient_credits: "The account has too few credits.",
  max_credits_exceeded: "A run would cost more than the trigger allows.",
  account_not_approved: "The account may not run workflows yet.",
  too_many_active: "Too many runs of the account were active.",
  unavailable: "The store or the queue could not be reached in time.",
};

/** The reason of an occurrence in a sentence; that of a status where the server gives none. */
export function reasonOf({ status, reason, count }: Occurrence): string {
  if (count && count > 1) return `${count.toLocaleString("en")} due times passed while nothing could run.`;
  if (reason === null) return STATUS_HINTS[status];
  return REASONS[reason] ?? `${reason.replaceAll("_", " ")}.`;
}

/** A moment in a time zone, with the day of the week and the zone's offset. */
export function momentIn(at: string, timeZone: string): string {
  const date = new Date(at);
  try {
    return new Intl.DateTimeFormat("en-GB", {
      timeZone,
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    }).format(date);
  } catch {
    // The server may know zones that this browser lacks.
    return date.toUTCString();
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LONGEST_IN_HOURS = 48;

/** The time until a moment: "in 4 min", or "now" once it has come. */
export function until(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  if (ms <= 0) return "now";
  if (ms < MINUTE_MS) return "in under 1 min";
  const minutes = Math.round(ms / MINUTE_MS);
  if (ms < 2 * HOUR_MS) return `in ${minutes} min`;
  if (ms < DAY_MS) return `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return ms < LONGEST_IN_HOURS * HOUR_MS ? `in ${Math.round(ms / HOUR_MS)} h` : `in ${Math.round(ms / DAY_MS)} days`;
}
