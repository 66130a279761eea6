/** Replays: former runs of a workflow against another document, their answers and paths. */

import type { Replay, ReplayDetails } from "./schemas";

export type { Replay, ReplayDetails, StartedReplay } from "./schemas";
export type ReplayVerdict = keyof Replay["counts"];
export type ReplayRow = ReplayDetails["rows"][number];
export type ReplayChange = ReplayRow["changes"][number];
/** One of the two runs that a row compares. */
export type ReplayedRun = NonNullable<ReplayRow["before"]>;

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
