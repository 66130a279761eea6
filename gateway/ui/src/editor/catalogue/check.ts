/** The answer of a check of the document by the API: problems, sockets and estimate. */

import type { Check as Answer, GraphNode, GraphProblem } from "../../api/types";
import type { Sockets } from "./catalogue";

/** An answer, with the nodes that were checked. */
export interface Check extends Answer {
  nodes?: readonly GraphNode[];
}

export const NOT_CHECKED: Check = { problems: [], sockets: {}, estimate: { total: 0, byNode: {}, isPerItem: [] } };

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

/** Keep the former objects of sockets that are as before, so that their nodes are not drawn again. */
export function keepSame<C extends Answer>(before: Check, answer: C): C {
  const sockets: Record<string, Sockets> = {};
  for (const [id, found] of Object.entries(answer.sockets)) {
    const known = before.sockets[id];
    sockets[id] = known && JSON.stringify(known) === JSON.stringify(found) ? known : found;
  }
  return { ...answer, sockets };
}

/** Whether a problem is of a node itself, and not of the graph inside of it. */
export function isOwn(problem: GraphProblem, nodeId: string): boolean {
  return problem.nodeId === nodeId && !problem.path;
}
