/** Statuses of nodes, each with a word and a sign of its own, so that colour is never alone. */

import type { Waiting } from "../../api/approvals";
import { isParent } from "../../children/children";
import type { NodeState } from "../../playground/runState";

/** As the API's executions have them; a node that works is "processing", one that waits for an answer "asks". */
export type NodeStatus = "pending" | "waiting" | "asks" | "processing" | "retrying" | "completed" | "failed" | "skipped" | "cancelled";

const WORDS: Record<NodeStatus, string> = {
  pending: "Not begun",
  waiting: "Waiting",
  asks: "Waiting for an answer",
  processing: "Processing",
  retrying: "Trying again",
  completed: "Completed",
  failed: "Failed",
  skipped: "Skipped",
  cancelled: "Cancelled",
};

const PATHS: Record<NodeStatus, string> = {
  pending: "M8 4.5v4l2.5 1.5M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13",
  waiting: "M4 2h8M4 14h8M5 2v2.500L8 8l3-3.500V2M5 14v-2.500L8 8l3 3.500V14",
  asks: "M8 8a2.800 2.800 0 1 0 0-5.600A2.800 2.800 0 0 0 8 8M2.800 14c.3-2.500 2.300-4 5.200-4s4.900 1.500 5.200 4",
  processing: "M8 1.5a6.5 6.5 0 1 1-6.5 6.5",
  retrying: "M13.5 8A5.5 5.5 0 1 1 11.5 3.8M13.5 1.5v3h-3",
  completed: "M3 8.5l3.5 3.5L13 4.5",
  failed: "M4 4l8 8M12 4l-8 8",
  skipped: "M2.5 4l4.5 4-4.5 4M8 4l4.5 4L8 12M14 4v8",
  cancelled: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M3.4 12.6l9.2-9.2",
};

/** `wait` is that of the node. One that waits for its children works. */
export function statusOf(
  node: Pick<NodeState, "status" | "type"> | undefined,
  isRunLive: boolean,
  wait?: Waiting,
): NodeStatus | undefined {
  if (!node) return isRunLive ? "pending" : undefined;
  if (node.status === "waiting" && !isParent(node)) return wait?.kind === "approval" || node.type === "approval" ? "asks" : "waiting";
  if (node.status === "running" || node.status === "waiting") return "processing";
  return node.status in WORDS ? (node.status as NodeStatus) : undefined;
}

export function wordOf(status: NodeStatus): string {
  return WORDS[status];
}

/** The sign of a run, which those of nodes serve for. */
export function signOf(status: string): NodeStatus {
  if (status === "completed" || status === "failed" || status === "cancelled") return status;
  return status === "refused" ? "failed" : "processing";
}

export function StatusIcon({ status }: { status: NodeStatus }) {
  return (
    <svg className={`status-icon ${status}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[status]} />
    </svg>
  );
}
