/** Replays: former runs of a workflow against another document, their answers and paths. */

export type ReplayVerdict = "same" | "different" | "failed" | "unmatched";

export interface ReplayChange {
  path: string;
  before: unknown;
  after: unknown;
}

/** One of the two runs that a row compares. */
export interface ReplayedRun {
  status: string;
  creditsCost: number;
  durationMs: number | null;
}

export interface ReplayRow {
  executionId: string;
  replayExecutionId: string | null;
  /** Null: it has not ended. */
  verdict: ReplayVerdict | null;
  changes: ReplayChange[];
  status: string;
  /** The node that had no recorded outcome, and why. */
  node: { id: string; reason: string } | null;
  error: { code: string; message: string } | null;
  before: ReplayedRun | null;
  after: ReplayedRun | null;
}

export interface Replay {
  replayId: string;
  workflowSlug: string;
  /** `draft`, or the number of a version. */
  against: string | number;
  calls: "recorded" | "live";
  status: "processing" | "completed" | "cancelled";
  counts: Record<ReplayVerdict, number>;
  total: number;
  creditsCost: number;
  createdAt: string;
  completedAt: string | null;
}

export interface ReplayDetail extends Replay {
  rows: ReplayRow[];
}

export const REPLAYS = "/api/replays";
export const MOST_REPLAYED = 200;
/** Verdicts, those that need a look first. */
export const VERDICTS: ReplayVerdict[] = ["different", "failed", "unmatched", "same"];

export function replayPath(id: string): string {
  return `${REPLAYS}/${id}`;
}

export function endedOf({ counts }: Pick<Replay, "counts">): number {
  return VERDICTS.reduce((sum, each) => sum + counts[each], 0);
}

export function againstInWords(against: string | number): string {
  return against === "draft" ? "the draft" : `version ${against}`;
}
