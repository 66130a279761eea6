import { call } from "../api/client";
import { WORKFLOWS } from "../api/paths";
import type { Workflow } from "../api/types";

/** Save a copy of a workflow or a template, with its assets, under another name. */
export function duplicate(slug: string, name: string): Promise<Workflow> {
  return call("POST", WORKFLOWS, { copyOf: slug, name });
}
