import { call } from "../api/client";
import type { WorkflowDocument } from "../api/types";

/** Save a copy of a workflow, with the assets that it names. */
export function duplicate(slug: string, name: string): Promise<WorkflowDocument> {
  return call("POST", "/api/workflows", { copyOf: slug, name });
}
