/** The last runs of the workflow, wherever they were started. */

import { useResource } from "../../api/resource";
import type { Execution, Page } from "../../api/types";
import { relative } from "../../components/Ago";
import { useStore } from "../document/store";
import type { RecordedExecution } from "./values";

const SOURCES: Record<string, string> = {
  "app-draft": "draft",
  app: "page",
  "api-workflow": "API",
};
const NONE: Execution[] = [];

export function useRecent(): Execution[] {
  const { slug } = useStore();
  return useResource<Page<Execution>>(`/api/executions?workflowSlug=${slug}&limit=20`).data?.rows ?? NONE;
}

export function useRecorded(executionId: string | undefined): RecordedExecution | undefined {
  return useResource<RecordedExecution>(executionId ? `/api/executions/${executionId}` : null).data;
}

/** A run in a few words, for lists to choose from. */
export function describe({ createdAt, source, status }: Execution): string {
  return `${relative(createdAt, Date.now())} · ${SOURCES[source] ?? source} · ${status.replace("_", " ")}`;
}
