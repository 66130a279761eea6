/** The document of a workflow as the server has it. */

import { get, getChanged } from "../../api/client";
import type { Page, WorkflowRow } from "../../api/types";
import { documentOf, type EditorDocument } from "../document/document";

export interface ServerState {
  /** The draft, or the published document where there is none. */
  document: EditorDocument;
  revision: number;
  savedAt: string | null;
  liveVersion: number | null;
  live: EditorDocument | null;
}

interface Answer extends EditorDocument {
  version?: number | null;
  revision: number;
  savedAt: string;
}

/** Find the workflow's row. Asking for a draft that is not there would be an error in the console. */
export async function findRow(slug: string): Promise<WorkflowRow | null> {
  for (let cursor = ""; ; ) {
    const page = await get<Page<WorkflowRow>>(`/api/workflows?limit=200&q=${slug}${cursor}`);
    const found = page.rows.find((row) => row.slug === slug);
    if (found || !page.nextCursor) return found ?? null;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** Read the whole state of a workflow. */
export async function readState(slug: string): Promise<ServerState> {
  const [published, row] = await Promise.all([readLive(slug), findRow(slug)]);
  const draft = row?.hasDraft ? await get<Answer>(`/api/workflows/${slug}/draft`) : null;
  return {
    document: draft ? documentOf(draft) : published.document,
    revision: draft?.revision ?? 0,
    savedAt: draft?.savedAt ?? null,
    liveVersion: published.version,
    live: published.version === null ? null : published.document,
  };
}

export async function readLive(slug: string): Promise<{ document: EditorDocument; version: number | null }> {
  const answer = await get<Answer>(`/api/workflows/${slug}`);
  return { document: documentOf(answer), version: answer.version ?? null };
}

/** Read the draft if it is not at `revision`. */
export async function readDraft(
  slug: string,
  revision: number,
): Promise<{ document: EditorDocument; revision: number; savedAt: string } | null> {
  const answer = await getChanged<Answer>(`/api/workflows/${slug}/draft`, `"${revision}"`);
  return answer && { document: documentOf(answer), revision: answer.revision, savedAt: answer.savedAt };
}
