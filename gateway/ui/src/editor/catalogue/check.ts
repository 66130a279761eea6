/** The answer of a check of the document by the API: problems, sockets and estimate. */

import type { Check as Answer, GraphNode } from "../../api/types";

/** An answer, with the nodes that were checked. */
export interface Check extends Answer {
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
