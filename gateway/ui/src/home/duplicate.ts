import { call, get } from "../api/client";
import type { WorkflowDocument } from "../api/types";

const COPIED = ["description", "tags", "nodes", "edges", "viewport"] as const;

/** Save a copy of a workflow or a template under another name. */
export async function duplicate(slug: string, name: string): Promise<WorkflowDocument> {
  const source = await get<Record<string, unknown>>(`/api/workflows/${slug}`);
  const copied = Object.fromEntries(COPIED.map((member) => [member, source[member]]));
  return call("POST", "/api/workflows", { ...copied, name });
}
