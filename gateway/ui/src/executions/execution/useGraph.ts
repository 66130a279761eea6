/** The graph of an execution, where its version still exists. */

import { useEffect, useState } from "react";
import { get } from "../../api/client";
import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionNode, Workflow } from "../../api/types";
import { bodyAt } from "../../editor/bodies/body";
import { executionPath } from "./state";

type Graph = Pick<Workflow, "nodes" | "edges">;

export function useGraph(execution: ExecutionDetail): Graph | undefined {
  const { workflowSlug, workflowVersion } = execution;
  const isKnown = workflowSlug !== null && workflowVersion !== null;
  const graph = useResource<Graph>(isKnown ? `/api/workflows/${workflowSlug}/versions/${workflowVersion}` : null).data;
  const path = useBodyPath(execution);
  return graph && path ? (bodyAt(graph, path) ?? undefined) : undefined;
}

/** Ids of the nodes that lead from the workflow to the graph of an execution; null until they are known. */
export function useBodyPath(execution: ExecutionDetail): string[] | null {
  const { executionId, parentId } = execution;
  const [found, setFound] = useState<{ of: string; path: string[] } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the way to the root never changes
  useEffect(() => {
    let isWanted = true;
    if (parentId) {
      climb(execution)
        .catch(() => [])
        .then((path) => isWanted && setFound({ of: executionId, path }));
    }
    return () => {
      isWanted = false;
    };
  }, [executionId, parentId]);
  if (!parentId) return ROOT;
  return found?.of === executionId ? found.path : null;
}

const ROOT: string[] = [];

/** Go up as long as the parent runs the same version: only the graphs inside of its nodes do. */
async function climb(from: ExecutionDetail): Promise<string[]> {
  const path: string[] = [];
  let each = from;
  while (each.parentId && each.parentNodeId) {
    const parent = await get<ExecutionDetail>(executionPath(each.parentId));
    if (parent.workflowSlug !== each.workflowSlug || parent.workflowVersion !== each.workflowVersion) break;
    path.unshift(each.parentNodeId);
    each = parent;
  }
  return path;
}

/** The node for which another waited: of those before it, the one that ended last. */
export function lastBefore(nodeId: string, graph: Graph | undefined, nodes: ExecutionNode[]): ExecutionNode | undefined {
  const sources = new Set(graph?.edges.filter((edge) => edge.target === nodeId).map((edge) => edge.source));
  const end = (node: ExecutionNode): number => (node.startedAt ? Date.parse(node.startedAt) + (node.durationMs ?? 0) : 0);
  const before = nodes.filter((node) => sources.has(node.id) && node.startedAt);
  return before.sort((one, other) => end(other) - end(one))[0];
}
