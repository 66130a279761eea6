/** Approvals: executions that wait until a person decides, and the answers of people. */

import { call } from "./client";
import { invalidate } from "./resource";
import type { Field } from "./types";

export type Decision = "approve" | "refuse";

/** The person, the key, the link or the time-out that answered. */
export interface Answerer {
  kind: "session" | "key" | "link" | "timeout";
  id?: string | null;
}

export interface Answer {
  decision: Decision;
  fields: Record<string, unknown>;
  note: string | null;
  by: Answerer;
  at: string;
}

/** An approval that waits for its answer. */
export interface Approval {
  executionId: string;
  /** The execution that a caller began; null where it is the one that waits. */
  rootId: string | null;
  nodeId: string;
  workflowSlug: string | null;
  title: string;
  message: string;
  fields: Field[];
  since: string;
  until: string;
  /** The approval link; null where the installation has no key to sign it with. */
  url: string | null;
}

/** The members of an approval without which nobody can answer it. */
export type Asked = Pick<Approval, "executionId" | "nodeId" | "fields">;

export const APPROVALS = "/api/approvals";
/** Most characters of a note. */
export const LONGEST_NOTE = 2_000;

interface Given {
  decision: Decision;
  fields: Record<string, unknown>;
  note?: string;
}

/** Answer an approval; the first answer counts. Raises ApiError. */
export async function giveAnswer({ executionId, nodeId }: Asked, given: Given): Promise<Answer> {
  return call("POST", `/api/executions/${executionId}/approvals/${encodeURIComponent(nodeId)}`, given);
}

/** Read the lists of approvals and the execution again, after an answer. */
export function showAnswered({ executionId }: Asked): void {
  invalidate(APPROVALS);
  invalidate(`/api/executions/${executionId}`);
}

/** A wait of an execution, or of one of its children, which is named then. */
export interface Waiting {
  executionId?: string;
  nodeId: string;
  kind: "delay" | "approval";
  since: string;
  until: string;
  title?: string;
  message?: string;
  fields?: Field[];
  url?: string | null;
}

/** The waits of an execution. */
export function waitingOf(execution: object): Waiting[] {
  return (execution as { waitingFor?: Waiting[] }).waitingFor ?? [];
}

/** The approval that a wait of an execution is; null for a delay. */
export function askedOf(wait: Waiting, executionId: string): Asked | null {
  return wait.kind === "approval" ? { executionId: wait.executionId ?? executionId, nodeId: wait.nodeId, fields: wait.fields ?? [] } : null;
}
