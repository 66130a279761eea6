import { call } from "../api/client";
import { WORKFLOWS } from "../api/paths";
import type { WorkflowDocument } from "../api/types";

/** Save a copy of a workflow or a template, with its assets, under another name. */
export function duplicate(slug: string, name: string): Promise<WorkflowDocument> {
  return call("POST", WORKFLOWS, { copyOf: slug, name });
}
