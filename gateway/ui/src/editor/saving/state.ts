/** How the document stands between this browser and the server. */

import type { EditorDocument } from "../document/document";
import type { Conflict } from "../document/merge";

export interface Saving {
  status: "saved" | "saving" | "waiting" | "offline" | "conflict" | "refused";
  /** Revision of the draft that the server has; 0 where there is no draft. */
  revision: number;
  /** Version that callers run; null where the workflow was never published. */
  liveVersion: number | null;
  /** Document that callers run. */
  live: EditorDocument | null;
  savedAt: string | null;
  /** Reason for a refusal, in a sentence. */
  reason?: string;
  /** Choices that wait for somebody, with the document of the others. */
  conflicts: readonly Conflict[];
  theirs: EditorDocument | null;
  /** When the changes were made that a former tab had kept, and that are in the document again. */
  recoveredAt: string | null;
  publishing: "idle" | "publishing" | "published";
  /** Whether the browser has no room to keep the changes. */
  isUnkept: boolean;
}

/** Reasons why changes are not on the server. */
export const WHY_NOT: Partial<Record<Saving["status"], string>> = {
  offline: "The server cannot be reached; the changes are kept in this browser.",
  conflict: "Somebody else has changed the same. Choose first.",
  waiting: "The server asks to wait; the changes are kept in this browser.",
};

export function begin(revision: number, savedAt: string | null, liveVersion: number | null, live: EditorDocument | null): Saving {
  return {
    status: "saved",
    revision,
    liveVersion,
    live,
    savedAt,
    conflicts: [],
    theirs: null,
    recoveredAt: null,
    publishing: "idle",
    isUnkept: false,
  };
}
