/** Calls of the API about the draft and the published document of a workflow. */

import { ApiError, call, get, getChanged } from "../../api/client";
import { WORKFLOWS } from "../../api/paths";
import type { CanaryRule } from "../../api/releases";
import type { Draft, DraftSaved, Page, Workflow, WorkflowRow } from "../../api/types";
import { documentOf, type EditorDocument } from "../document/document";

export interface ServerState {
  /** The draft, or the published document where there is none. */
  document: EditorDocument;
  revision: number;
  savedAt: string | null;
  liveVersion: number | null;
  live: EditorDocument | null;
}

/** Find the workflow's row. Asking for a draft that is not there would be an error in the console. */
export async function findRow(slug: string): Promise<WorkflowRow | null> {
  for (let cursor = ""; ; ) {
    const page = await get<Page<WorkflowRow>>(`${WORKFLOWS}?limit=200&q=${slug}${cursor}`);
    const match = page.rows.find((row) => row.slug === slug);
    if (match || !page.nextCursor) return match ?? null;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** Read the whole state of a workflow. */
export async function readState(slug: string): Promise<ServerState> {
  const [published, row] = await Promise.all([readLive(slug), findRow(slug)]);
  const draft = row?.hasDraft ? await get<Draft>(`${WORKFLOWS}/${slug}/draft`) : null;
  return {
    document: draft ? documentOf(draft) : published.document,
    revision: draft?.revision ?? 0,
    savedAt: draft?.savedAt ?? null,
    liveVersion: published.version,
    live: published.version === null ? null : published.document,
  };
}

export async function readLive(slug: string): Promise<{ document: EditorDocument; version: number | null }> {
  const answer = await get<Workflow>(`${WORKFLOWS}/${slug}`);
  return { document: documentOf(answer), version: answer.version };
}

/** Read the draft if it is not at `revision`. */
export async function readDraft(
  slug: string,
  revision: number,
): Promise<{ document: EditorDocument; revision: number; savedAt: string } | null> {
  const answer = await getChanged<Draft>(`${WORKFLOWS}/${slug}/draft`, `"${revision}"`);
  return answer && { document: documentOf(answer), revision: answer.revision, savedAt: answer.savedAt };
}

/** A draft is changed only where it is at the revision that the caller knows. */
function atRevision(revision: number): Record<string, string> {
  return { "if-match": `"${revision}"` };
}

export async function putDraft(
  slug: string,
  revision: number,
  document: EditorDocument,
  isLeaving: boolean,
): Promise<{ revision: number; savedAt: string }> {
  const saved = await call<DraftSaved>("PUT", `${WORKFLOWS}/${slug}/draft`, document, atRevision(revision), isLeaving);
  return { revision: saved.revision, savedAt: saved.savedAt };
}

/** Remove the draft, which may be gone already. */
export async function removeDraft(slug: string, revision: number, isLeaving: boolean): Promise<void> {
  try {
    await call("DELETE", `${WORKFLOWS}/${slug}/draft`, undefined, atRevision(revision), isLeaving);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "DRAFT_NOT_FOUND") throw error;
  }
}

export interface Published {
  document: EditorDocument;
  version: number;
}

/** How a draft is published. */
export interface Publication {
  note: string;
  /** Whether callers that break are left to it. */
  force: boolean;
  /** The new version is not live, and gets a share of the runs. */
  canary?: CanaryRule;
  /** The publication is refused unless all tests have passed on this very draft. */
  requireTests?: boolean;
}

export async function publishDraft(slug: string, revision: number, { note, ...how }: Publication): Promise<Published> {
  const body = { note: note || null, ...how };
  return published(await call("POST", `${WORKFLOWS}/${slug}/publish`, body, atRevision(revision)));
}

/** Publish a former version anew. */
export async function restoreVersion(slug: string, version: number): Promise<Published> {
  return published(await call("POST", `${WORKFLOWS}/${slug}/versions/${version}/restore`));
}

function published(answer: Workflow & { version: number }): Published {
  return { document: documentOf(answer), version: answer.version };
}
