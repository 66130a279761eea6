/** Executions of a workflow that can be replayed. */

import { useMemo } from "react";
import type { ApiError } from "../../api/client";
import { MOST_REPLAYED } from "../../api/replays";
import { useResource } from "../../api/resource";
import type { ExecutionRow, Page } from "../../api/types";

const ENDED = ["completed", "failed"];
const ASIDE = new Set(["app-draft", "replay", "test"]);

/** Own runs that a caller made and that have ended are replayed; drafts, replays and tests are not. */
export function isReplayable({ source, status, parentId }: Pick<ExecutionRow, "source" | "status" | "parentId">): boolean {
  return !ASIDE.has(source) && !parentId && ENDED.includes(status);
}

/** Whether a query of a list selects some executions of its workflow. */
export function isPart(query: string): boolean {
  return [...new URLSearchParams(query).keys()].some((name) => name !== "workflowSlug");
}

interface Candidates {
  rows: ExecutionRow[] | undefined;
  error: ApiError | undefined;
}

/** The newest executions of a workflow that can be replayed, of those that a query of the list fits. */
export function useCandidates(slug: string, query: string): Candidates {
  const parameters = new URLSearchParams(query);
  const wanted = parameters.getAll("status");
  parameters.set("workflowSlug", slug);
  parameters.delete("status");
  for (const status of ENDED.filter((each) => wanted.length === 0 || wanted.includes(each))) parameters.append("status", status);
  parameters.set("limit", String(MOST_REPLAYED));
  const { data, error } = useResource<Page<ExecutionRow>>(`/api/executions?${parameters}`);
  return { rows: useMemo(() => data?.rows.filter(isReplayable), [data]), error };
}
