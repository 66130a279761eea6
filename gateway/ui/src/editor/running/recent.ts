/** The last runs of the workflow, wherever they were started. */

import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionRow, Page } from "../../api/types";
import { childListPath, childName } from "../../children/children";
import { relative } from "../../components/Ago";
import { useStore } from "../document/store";
import { useRunning } from "./runs";

const SOURCES: Record<string, string> = {
  "app-draft": "draft",
  app: "page",
  "api-workflow": "API",
};
const NONE: ExecutionRow[] = [];

/** The last runs that the open graph had: of the workflow, or of the items beside the one that is shown. */
export function useRecent(): ExecutionRow[] {
  const { slug, path } = useStore();
  const isInside = path.length > 0;
  const shown = useRecorded(useRunning(({ run }) => (isInside ? run?.executionId : undefined)));
  const ofItems = shown?.parentId && shown.parentNodeId ? childListPath(shown.parentId, shown.parentNodeId, "", 20) : null;
  const all = isInside ? ofItems : `/api/executions?workflowSlug=${slug}&limit=20`;
  return useResource<Page<ExecutionRow>>(all).data?.rows ?? NONE;
}

export function useRecorded(executionId: string | undefined): ExecutionDetail | undefined {
  return useResource<ExecutionDetail>(executionId ? `/api/executions/${executionId}` : null).data;
}

/** A run in a few words, for lists to choose from. */
export function describeRun(run: ExecutionRow): string {
  const { createdAt, source, status } = run;
  if (run.parentId) return `${childName(run)} · ${status.replace("_", " ")}`;
  return `${relative(createdAt, Date.now())} · ${SOURCES[source] ?? source} · ${status.replace("_", " ")}`;
}
