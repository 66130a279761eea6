/** The last runs of the workflow, wherever they were started. */

import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionRow, Page } from "../../api/types";
import { relative } from "../../components/Ago";
import { useStore } from "../document/store";

const SOURCES: Record<string, string> = {
  "app-draft": "draft",
  app: "page",
  "api-workflow": "API",
};
const NONE: ExecutionRow[] = [];

export function useRecent(): ExecutionRow[] {
  const { slug } = useStore();
  return useResource<Page<ExecutionRow>>(`/api/executions?workflowSlug=${slug}&limit=20`).data?.rows ?? NONE;
}

export function useRecorded(executionId: string | undefined): ExecutionDetail | undefined {
  return useResource<ExecutionDetail>(executionId ? `/api/executions/${executionId}` : null).data;
}

/** A run in a few words, for lists to choose from. */
export function describeRun({ createdAt, source, status }: ExecutionRow): string {
  return `${relative(createdAt, Date.now())} · ${SOURCES[source] ?? source} · ${status.replace("_", " ")}`;
}
