/** Triggers: their answers, their paths, and bounds of what the API takes. */

import { call } from "./client";
import { invalidate, replaceAnswer } from "./resource";
import type { Page } from "./types";

export type TriggerKind = "schedule" | "webhook";
export type Overlap = "allow" | "skip";
export type Missed = "skip" | "last" | "all";
export type OccurrenceStatus = "started" | "skipped" | "failed" | "missed";

export interface Occurrence {
  id: string;
  /** The due time of a schedule, or the time of an event. */
  at: string;
  status: OccurrenceStatus;
  reason: string | null;
  executionId: string | null;
  /** Number of due times that one occurrence stands for. */
  count?: number;
}

/** The outbound webhook of a trigger's runs; its secret is never shown. */
export interface TriggerWebhook {
  url: string;
  events: string[];
}

interface CommonMembers {
  id: string;
  name: string;
  workflowSlug: string;
  /** A version of the workflow, or null for the live one. */
  version: number | null;
  enabled: boolean;
  max_credits: number | null;
  webhook: TriggerWebhook | null;
  /** Id of the key that made it, or null for a session. */
  createdBy: string | null;
  createdAt: string;
  updatedAt: string;
  lastOccurrence: Occurrence | null;
}

export interface Schedule extends CommonMembers {
  kind: "schedule";
  cron: string;
  timezone: string;
  inputs: Record<string, unknown>;
  overlap: Overlap;
  missed: Missed;
  nextAt: string | null;
}

export type VerifyKind = "none" | "bearer" | "hmac" | "github" | "stripe" | "slack" | "standard-webhooks";

export interface Verify {
  kind: VerifyKind;
  secret?: string | null;
  header?: string | null;
  prefix?: string | null;
  encoding?: "hex" | "base64" | null;
}

/** An inbound webhook: requests to its URL start runs. */
export interface Hook extends CommonMembers {
  kind: "webhook";
  url: string;
  verify: Verify;
  when: string | null;
  inputs: Record<string, string> | null;
  eventId: string | null;
  respond: "accepted" | "result";
}

export type Trigger = Schedule | Hook;

export const TRIGGERS = "/api/triggers";
/** The list of all triggers: an account has at most 100. */
export const TRIGGER_LIST = `${TRIGGERS}?limit=200`;
export const MOST_TRIGGERS = 100;
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
