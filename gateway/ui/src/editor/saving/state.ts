/** How the document stands between this browser and the server. */

export interface Saving {
  status: "saved" | "saving" | "offline" | "conflict" | "refused";
  /** Revision of the draft that the server has; 0 where there is no draft. */
  revision: number;
  /** Version that callers run; null where the workflow was never published. */
  liveVersion: number | null;
  savedAt: string | null;
  /** Reason for a refusal, in a sentence. */
  reason?: string;
}
