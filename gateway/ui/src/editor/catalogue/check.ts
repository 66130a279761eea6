/** The answer of a check of the document by the API: problems, sockets and estimate. */

import type { GraphNode } from "../../api/types";
import type { Sockets } from "./catalogue";

export interface Problem {
  nodeId?: string;
  edgeId?: string;
  /** Path in the settings of the node, such as `items[1].value`. */
  field?: string;
  socket?: string;
  reason: string;
}

export interface Check {
  problems: Problem[];
  sockets: Record<string, Sockets>;
  estimate: { total: number; byNode: Record<string, number> };
  /** The nodes that were checked. */
  nodes?: readonly GraphNode[];
}

export const NOT_CHECKED: Check = { problems: [], sockets: {}, estimate: { total: 0, byNode: {} } };

const counts = new WeakMap<Check, Map<string, number>>();

/** Number of problems of a node. */
export function problemsOf(check: Check, nodeId: string): number {
  let known = counts.get(check);
  if (!known) {
    known = new Map();
    for (const problem of check.problems) {
      if (problem.nodeId) known.set(problem.nodeId, (known.get(problem.nodeId) ?? 0) + 1);
    }
    counts.set(check, known);
  }
  return known.get(nodeId) ?? 0;
}
