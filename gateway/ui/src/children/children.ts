/** Executions that a node of another one has begun: one for each item, or a single call. */

import type { ExecutionNode, ExecutionRow } from "../api/types";
import type { NodeState } from "../playground/runState";

/** Numbers of children by status. */
export type ChildStatuses = NonNullable<ExecutionNode["childStatuses"]>;

export interface Children {
  count: number;
  statuses: ChildStatuses;
}

/** Types of nodes that begin children. */
const PARENTS = new Set(["forEach", "subWorkflow"]);

export function isParent({ type }: Pick<NodeState, "type">): boolean {
  return PARENTS.has(type);
}

/** The children of a node; undefined where it has none. */
export function childrenOf({ childCount, childStatuses }: Pick<ExecutionNode, "childCount" | "childStatuses">): Children | undefined {
  if (!childCount || !childStatuses) return undefined;
  return { count: childCount, statuses: childStatuses };
}

export function endedOf({ statuses: { completed, failed, cancelled } }: Children): number {
  return completed + failed + cancelled;
}

/** "37 of 200 items, 2 failed", or "200 items" once all have ended. */
export function inWords(children: Children): string {
  const { count, statuses } = children;
  const ended = endedOf(children);
  const items = count === 1 ? "1 item" : `${count.toLocaleString("en")} items`;
  const parts = [ended < count ? `${ended.toLocaleString("en")} of ${items}` : items];
  if (statuses.failed > 0) parts.push(`${statuses.failed.toLocaleString("en")} failed`);
  if (statuses.cancelled > 0) parts.push(`${statuses.cancelled.toLocaleString("en")} cancelled`);
  return parts.join(", ");
}

export function childListPath(parentId: string, nodeId: string, status = "", limit = 50): string {
  const query = new URLSearchParams({ parentId, parentNodeId: nodeId, ...(status && { status }), limit: String(limit) });
  return `/api/executions?${query}`;
}

/** The name of a child among those of its node. */
export function childName({ childIndex }: Pick<ExecutionRow, "childIndex">): string {
  return `Item ${childIndex ?? 0}`;
}
