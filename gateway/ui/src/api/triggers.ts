/** Triggers: their answers, their paths, and bounds of what the API takes. */

import { call } from "./client";
import { invalidate, replaceAnswer } from "./resource";
import type { Trigger as AnyTrigger, Occurrence } from "./schemas";
import type { Page } from "./types";

export type { Occurrence } from "./schemas";
export type TriggerKind = AnyTrigger["kind"];
export type OccurrenceStatus = Occurrence["status"];
type Members<Names extends keyof AnyTrigger> = Required<Pick<AnyTrigger, Names>>;

/** Due times start runs. */
export type Schedule = AnyTrigger & { kind: "schedule" } & Members<"cron" | "timezone" | "inputs" | "overlap" | "missed" | "nextAt">;
export type Overlap = Schedule["overlap"];
export type Missed = Schedule["missed"];

/** An inbound webhook: requests to its URL start runs. */
export type Hook = AnyTrigger & { kind: "webhook"; inputs?: Record<string, string> } & Members<"url" | "verify" | "respond">;
export type Verify = Hook["verify"];
export type VerifyKind = Verify["kind"];

export type Trigger = Schedule | Hook;

export const TRIGGERS = "/api/triggers";
/** The list of all triggers: an account has at most 100. */
export const TRIGGER_LIST = `${TRIGGERS}?limit=200`;
export const OCCURRENCE_STATUSES: OccurrenceStatus[] = ["started", "skipped", "failed", "missed"];

export function triggerPath(id: string): string {
  return `${TRIGGERS}/${id}`;
}

/** Show a trigger as the server answered it, and read lists anew. */
export function showSaved(trigger: Trigger): void {
  replaceAnswer(triggerPath(trigger.id), () => trigger);
  replaceAnswer<Page<Trigger>>(TRIGGER_LIST, (page) => ({
    ...page,
    rows: page.rows.map((row) => (row.id === trigger.id ? trigger : row)),
  }));
  invalidate(TRIGGERS);
}

/** Change members of a trigger. Raises ApiError. */
export async function change(id: string, members: Record<string, unknown>): Promise<Trigger> {
  const trigger = await call<Trigger>("PATCH", triggerPath(id), members);
  showSaved(trigger);
  return trigger;
}
