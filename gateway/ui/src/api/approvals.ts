/** Approvals: executions that wait until a person decides, and the answers of people. */

import { call } from "./client";
import { invalidate } from "./resource";
import type { Answer, AnswerRequest, ApprovalPage, Execution } from "./schemas";

export type { Answer } from "./schemas";
export type Decision = Answer["decision"];
/** The person, the key, the link or the time-out that answered. */
export type Answerer = Answer["by"];
/** An approval that waits for its answer. */
export type Approval = ApprovalPage["rows"][number];
/** A wait of an execution, or of one below it, which is named then. */
export type Waiting = NonNullable<Execution["waitingFor"]>[number];

/** The members of an approval without which nobody can answer it. */
export type Asked = Pick<Approval, "executionId" | "nodeId" | "fields">;

export const APPROVALS = "/api/approvals";
/** Most characters of a note. */
export const LONGEST_NOTE = 2_000;

/** Answer an approval; the first answer counts. Raises ApiError. */
export async function giveAnswer({ executionId, nodeId }: Asked, given: AnswerRequest): Promise<Answer> {
  return call("POST", `/api/executions/${executionId}/approvals/${encodeURIComponent(nodeId)}`, given);
}

/** Read approvals and executions that are shown again, after an answer: the one that waited, and those above it. */
export function showAnswered(): void {
  invalidate(APPROVALS);
  invalidate("/api/executions/");
}

/** The waits of an execution. */
export function waitingOf({ waitingFor }: Pick<Execution, "waitingFor">): Waiting[] {
  return waitingFor ?? [];
}

/** The approval that a wait of an execution is; null for a delay. */
export function askedOf(wait: Waiting, executionId: string): Asked | null {
  return wait.kind === "approval" ? { executionId: wait.executionId ?? executionId, nodeId: wait.nodeId, fields: wait.fields ?? [] } : null;
}
