/** The graph of an execution, where its version still exists. */

import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionNode, Workflow } from "../../api/types";

type Graph = Pick<Workflow, "nodes" | "edges">;

export function useGraph({ workflowSlug, workflowVersion }: ExecutionDetail): Graph | undefined {
  const isKnown = workflowSlug !== null && workflowVersion !== null;
  return useResource<Graph>(isKnown ? `/api/workflows/${workflowSlug}/versions/${workflowVersion}` : null).data;
}

/** The node for which another waited: of those before it, the one that ended last. */
export function lastBefore(nodeId: string, graph: Graph | undefined, nodes: ExecutionNode[]): ExecutionNode | undefined {
  const sources = new Set(graph?.edges.filter((edge) => edge.target === nodeId).map((edge) => edge.source));
  const end = (node: ExecutionNode): number => (node.startedAt ? Date.parse(node.startedAt) + (node.durationMs ?? 0) : 0);
  const before = nodes.filter((node) => sources.has(node.id) && node.startedAt);
  return before.sort((one, other) => end(other) - end(one))[0];
}
