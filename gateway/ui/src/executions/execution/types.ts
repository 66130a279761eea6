/** One execution as the API shows it. */

import type { Execution } from "../../api/types";
import type { NodeAttempt, NodeValues, RecordedNode } from "../../editor/running/values";

export interface NodeRun extends RecordedNode {
  startedAt: string | null;
}

export interface ExecutionDetail extends Execution {
  inputs: Record<string, unknown> | null;
  keyId: string | null;
  httpRequestId: string | null;
  retryOf: string | null;
  deliveries: { id: string; keyId: string }[];
  nodes: NodeRun[];
}

/** An attempt with the worker that made it. */
export interface Attempt extends NodeAttempt {
  worker: string | null;
}

export interface RecordedValues extends NodeValues {
  attempts: Attempt[];
}

export function executionPath(id: string): string {
  return `/api/executions/${id}`;
}

export function isLive(execution: ExecutionDetail): boolean {
  return execution.status === "processing" || execution.status === "cancel_requested";
}
