/** How the document stands between this browser and the server. */

import type { EditorDocument } from "../document/document";
import type { Conflict } from "../document/merge";

/** Where the changes are. */
export type Progress =
  | { status: "saved" | "saving" | "offline" | "conflict" }
  /** The server answers with an error for a while, or refuses the document; with the reason in a sentence. */
  | { status: "waiting" | "refused"; reason: string };

export interface SavingFacts {
  /** Revision of the draft that the server has; 0 where there is no draft. */
  revision: number;
  /** Version that callers run; null where the workflow was never published. */
  liveVersion: number | null;
  /** Document that callers run. */
  live: EditorDocument | null;
  savedAt: string | null;
  /** Choices that wait for somebody, with the document of the others. */
  conflicts: readonly Conflict[];
  theirs: EditorDocument | null;
  /** Time of the changes of a former tab that are in the document again. */
  recoveredAt: string | null;
  publishing: "idle" | "publishing" | "published";
  /** Whether the browser has no room to keep the changes. */
  isUnkept: boolean;
}

export type Saving = SavingFacts & Progress;

/** The reason why changes are not on the server, as a sentence. */
export function whyNot(saving: Saving): string {
  if ("reason" in saving) return saving.reason;
  if (saving.status === "offline") return "The server cannot be reached; the changes are kept in this browser.";
  if (saving.status === "conflict") return "Somebody else has changed the same. Choose first.";
  return "The changes are not saved yet.";
}

export function initialSaving(revision: number, savedAt: string | null, liveVersion: number | null, live: EditorDocument | null): Saving {
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
