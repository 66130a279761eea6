/** Executions that a node of another one has begun: one for each item, or a single call. */

import type { ExecutionNode, ExecutionRow } from "../api/types";

/** Numbers of children by status. */
export type ChildStatuses = NonNullable<ExecutionNode["childStatuses"]>;

export interface Children {
  count: number;
  /** Null once they are not on record. */
  statuses: ChildStatuses | null;
}

/** Types of nodes that begin children. */
const PARENTS = new Set(["forEach", "subWorkflow", "agent"]);
const NOUNS: Record<string, string> = { agent: "call" };

/** Whether a node has one child alone: the run of the workflow that it calls. */
export function isCall({ type }: Pick<ExecutionNode, "type">): boolean {
  return type === "subWorkflow";
}

export function isParent({ type }: Pick<ExecutionNode, "type">): boolean {
  return PARENTS.has(type);
}

/** The children of a node; undefined where it has none. */
export function childrenOf({ childCount, childStatuses }: Pick<ExecutionNode, "childCount" | "childStatuses">): Children | undefined {
  return childCount ? { count: childCount, statuses: childStatuses ?? null } : undefined;
}

export function endedOf({ count, statuses }: Children): number {
  return statuses ? statuses.completed + statuses.failed + statuses.cancelled : count;
}

/** The name of a child in the list of its node. */
export function childName({ childIndex }: Pick<ExecutionRow, "childIndex">, isOnly = false): string {
  return isOnly ? "Its run" : `Item ${childIndex ?? 0}`;
}

/** The noun for a child of a node. */
export function nounOf({ type }: Pick<ExecutionNode, "type">): string {
  return NOUNS[type] ?? "item";
}

/** "37 of 200 items, 2 failed", or "200 items" once all have ended. */
export function inWords(children: Children, noun = "item"): string {
  const { count, statuses } = children;
  const ended = endedOf(children);
  const items = count === 1 ? `1 ${noun}` : `${count.toLocaleString("en")} ${noun}s`;
  const parts = [ended < count ? `${ended.toLocaleString("en")} of ${items}` : items];
  for (const status of ["failed", "cancelled"] as const) {
    const number = statuses?.[status] ?? 0;
    if (number > 0) parts.push(`${number.toLocaleString("en")} ${status}`);
  }
  return parts.join(", ");
}

export function childListPath(parentId: string, nodeId: string, status = "", limit = 50): string {
  const query = new URLSearchParams({ parentId, parentNodeId: nodeId, ...(status && { status }), limit: String(limit) });
  return `/api/executions?${query}`;
}
