/** Words and keys of approvals. */

import type { Approval, Decision } from "../api/approvals";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Times to answer that end within this are told with a warning. */
const SOON_MS = HOUR_MS;

export const DECIDED: Record<Decision, string> = { approve: "Approved", refuse: "Refused" };

/** The node that asks, and its execution. */
export type Place = Pick<Approval, "executionId" | "nodeId">;

/** The name of an approval in the address of the page. */
export function keyOf({ executionId, nodeId }: Place): string {
  return `${executionId}/${nodeId}`;
}

/** The place that a name in an address stands for; null for another text. */
export function placeOf(key: string): Place | null {
  const [executionId, ...rest] = key.split("/");
  const nodeId = rest.join("/");
  return executionId && nodeId ? { executionId, nodeId } : null;
}

/** The address of an approval in the inbox. */
export function addressOf(place: Place): string {
  return `/app/approvals?${new URLSearchParams({ approval: keyOf(place) })}`;
}

/** The title, or the node where the title is empty. */
export function titleOf({ title, nodeId }: { title?: string; nodeId: string }): string {
  return title?.trim() || nodeId;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** The time that is left until a moment: "6 days 23 hours", "23 hours", "59 minutes"; seconds are not told. */
export function timeLeft(until: string, now: number): string {
  const left = Date.parse(until) - now;
  if (left >= 2 * DAY_MS) {
    const hours = Math.floor((left % DAY_MS) / HOUR_MS);
    const days = count(Math.floor(left / DAY_MS), "day");
    return hours ? `${days} ${count(hours, "hour")}` : days;
  }
  if (left >= 2 * HOUR_MS) return count(Math.floor(left / HOUR_MS), "hour");
  if (left >= MINUTE_MS) return count(Math.floor(left / MINUTE_MS), "minute");
  return left > 0 ? "less than a minute" : "no time";
}

export function isSoon(until: string, now: number): boolean {
  return Date.parse(until) - now < SOON_MS;
}
