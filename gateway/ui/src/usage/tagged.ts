/** Usage of runs with tags: rows of single executions, summed up here, since figures by time know no tags. */

import { useEffect, useState } from "react";
import { ApiError, get } from "../api/client";
import type { SeriesRow, UsagePage } from "../api/types";
import { LENGTHS, type Span } from "./series";

type Run = UsagePage["rows"][number];

const PAGE_ROWS = 500;
/** Executions that are summed up at most, the newest ones. */
export const MOST_RUNS = 10_000;

export interface Tagged {
  runs: Run[];
  /** False: older executions of the span were left out. */
  isWhole: boolean;
}

/** Read the executions of a span that have all of the tags, newest first. Throws when `signal` is aborted. */
async function readTagged(tags: string[], { from, to }: Span, signal: AbortSignal): Promise<Tagged> {
  const runs: Run[] = [];
  for (let offset = 0; offset < MOST_RUNS; offset += PAGE_ROWS) {
    const query = new URLSearchParams([...tags.map((tag) => ["tag", tag]), ["limit", String(PAGE_ROWS)], ["offset", String(offset)]]);
    const { rows } = await get<UsagePage>(`/api/usage?${query}`);
    signal.throwIfAborted();
    const times = rows.map((row) => Date.parse(row.createdAt));
    runs.push(...rows.filter((_, place) => (times[place] as number) >= from && (times[place] as number) < to));
    if (rows.length < PAGE_ROWS || (times.at(-1) as number) < from) return { runs, isWhole: true };
  }
  return { runs, isWhole: false };
}

/** The executions of a span that have all of the tags; nothing is read without tags. */
export function useTagged(tags: string[], span: Span): { data?: Tagged; error?: ApiError } {
  const [found, setFound] = useState<{ data?: Tagged; error?: ApiError }>({});
  const wanted = JSON.stringify(tags);
  useEffect(() => {
    const chosen = JSON.parse(wanted) as string[];
    if (chosen.length === 0) return undefined;
    const stop = new AbortController();
    readTagged(chosen, span, stop.signal).then(
      (data) => setFound({ data }),
      (error: unknown) => !stop.signal.aborted && setFound({ error: error instanceof ApiError ? error : new ApiError(0, { error: String(error) }) }),
    );
    return () => stop.abort();
  }, [wanted, span]);
  return found;
}

/** The values of an execution by which its figures are grouped; one without a model has none. */
function keysOf(run: Run, by: string): (string | null)[] {
  if (by === "status") return [run.status];
  if (by === "workflow") return [run.workflowSlug];
  return run.modelIds.length > 0 ? run.modelIds : [null];
}

/** The duration that a share of the runs stay below; null where none has one. */
function percentile(sorted: number[], share: number): number | null {
  return sorted.length === 0 ? null : (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number);
}

/** Figures by time and key, as the API gives them for all runs. */
export function seriesOf(runs: Run[], { bucket }: Pick<Span, "bucket">, by: string): SeriesRow[] {
  const groups = new Map<string, { at: number; key: string | null; runs: Run[] }>();
  for (const run of runs) {
    const at = Math.floor(Date.parse(run.createdAt) / LENGTHS[bucket]) * LENGTHS[bucket];
    for (const key of keysOf(run, by)) {
      const name = `${at} ${key === null ? "" : `"${key}`}`;
      const group = groups.get(name) ?? { at, key, runs: [] };
      group.runs.push(run);
      groups.set(name, group);
    }
  }
  return [...groups.values()].map((group) => {
    const durations = group.runs.flatMap((run) => run.durationMs ?? []).sort((one, other) => one - other);
    return {
      at: new Date(group.at).toISOString(),
      key: group.key,
      runs: group.runs.length,
      failed: group.runs.filter((run) => run.status === "failed").length,
      credits: group.runs.reduce((sum, run) => sum + run.creditsCost, 0),
      p50Ms: percentile(durations, 0.5),
      p95Ms: percentile(durations, 0.95),
    };
  });
}
