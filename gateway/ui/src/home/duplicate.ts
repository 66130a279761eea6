import { call } from "../api/client";
import { WORKFLOWS } from "../api/paths";
import type { Copy } from "../api/types";

/** Save a copy of a workflow or a template, with its assets, under another name. */
export function duplicate(slug: string, name: string): Promise<Copy> {
  return call("POST", WORKFLOWS, { copyOf: slug, name });
}

/** The called workflows that came with a copy, and those that could not, in words; empty without any. */
export function callsInWords({ copiedWorkflows = {}, missingWorkflows = [] }: Copy): string {
  const came = Object.values(copiedWorkflows);
  const sentences = [
    came.length > 0 && `It calls ${came.join(", ")}, copied with it`,
    missingWorkflows.length > 0 && `${missingWorkflows.join(", ")}, which it calls, could not be copied: it is a draft`,
  ];
  return sentences.filter(Boolean).join(". ");
}
