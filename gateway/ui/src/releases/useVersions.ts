import { useResource } from "../api/resource";
import type { Page, WorkflowVersion } from "../api/types";

/** The newest 200 versions of a workflow. */
export function useVersions(slug: string): WorkflowVersion[] | undefined {
  return useResource<Page<WorkflowVersion>>(`/api/workflows/${slug}/versions?limit=200`).data?.rows;
}
