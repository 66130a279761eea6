/** Figures by time and key, as charts draw them. */

import type { SeriesRow } from "../api/types";
import { type Chosen, RANGES } from "../components/TimeRange";

export type Metric = "runs" | "failed" | "credits" | "p50Ms" | "p95Ms";
export type Bucket = "minute" | "hour" | "day";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
export const LENGTHS: Record<Bucket, number> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };

export interface Span {
  from: number;
  to: number;
  bucket: Bucket;
}

/** A bucket that gives a chart between 12 and 400 places for up to a year. */
export function bucketFor(length: number): Bucket {
  if (length <= 6 * HOUR_MS) return "minute";
  return length <= 14 * DAY_MS ? "hour" : "day";
}

/** The span of a chosen time: bounds stay as they are, a quick range ends now. */
export function spanOf({ range, from, to }: Chosen, now: number): Span {
  const end = Date.parse(to) || now;
  const length = RANGES[range]?.[1] ?? DAY_MS;
  const begin = from || to ? Date.parse(from) || end - DAY_MS : now - length;
  const first = Math.min(begin, end - MINUTE_MS);
  return { from: first, to: end, bucket: bucketFor(end - first) };
}

/** Whole buckets around two places of a chart. */
export function aroundBuckets(from: number, to: number, bucket: Bucket): [number, number] {
  const length = LENGTHS[bucket];
  const begin = Math.floor(from / length) * length;
  return [begin, Math.max(begin + length, Math.ceil(to / length) * length)];
}

/** Begins of all buckets of the span. */
export function timesOf({ from, to, bucket }: Span): number[] {
  const length = LENGTHS[bucket];
  const times: number[] = [];
  for (let at = Math.floor(from / length) * length; at < to; at += length) times.push(at);
  return times;
}

export interface Line {
  /** Key of the API; null where there is none; undefined for all others together. */
  key: string | null | undefined;
  runs: number;
  failed: number;
  credits: number;
  rows: Map<number, SeriesRow>;
}

const SHOWN = 6;

/** One line for each key, those with most runs first; beyond some of them, one for all others. */
export function linesOf(rows: SeriesRow[]): Line[] {
  const byKey = new Map<string | null, Line>();
  for (const row of rows) add(byKey.get(row.key) ?? make(byKey, row.key), row);
  const lines = [...byKey.values()].sort((one, other) => other.runs - one.runs);
  if (lines.length <= SHOWN) return lines;
  const others: Line = { key: undefined, runs: 0, failed: 0, credits: 0, rows: new Map() };
  for (const line of lines.slice(SHOWN - 1)) for (const row of line.rows.values()) add(others, row);
  return [...lines.slice(0, SHOWN - 1), others];
}

function make(found: Map<string | null, Line>, key: string | null): Line {
  const line: Line = { key, runs: 0, failed: 0, credits: 0, rows: new Map() };
  found.set(key, line);
  return line;
}

/** Counts add up; of durations, the longest stands for several keys. */
function add(line: Line, row: SeriesRow): void {
  const at = Date.parse(row.at);
  const before = line.rows.get(at);
  line.runs += row.runs;
  line.failed += row.failed;
  line.credits += row.credits;
  if (!before) return void line.rows.set(at, row);
  line.rows.set(at, {
    ...before,
    runs: before.runs + row.runs,
    failed: before.failed + row.failed,
    credits: before.credits + row.credits,
    p50Ms: longest(before.p50Ms, row.p50Ms),
    p95Ms: longest(before.p95Ms, row.p95Ms),
  });
}

function longest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}

/** Values of a line at these times: none is 0 for counts, and a gap for durations. */
export function valuesOf(line: Line, metric: Metric, times: number[]): (number | null)[] {
  const none = metric === "p50Ms" || metric === "p95Ms" ? null : 0;
  return times.map((at) => line.rows.get(at)?.[metric] ?? none);
}

/** Each line on top of those before it. */
export function stacked(values: (number | null)[][]): number[][] {
  const sums: number[][] = [];
  for (const line of values) {
    const below = sums.at(-1);
    sums.push(line.map((value, place) => (value ?? 0) + (below?.[place] ?? 0)));
  }
  return sums;
}
