/** Numbers of runs by their time, in as many bars as can be told apart. */

import type { CanarySide } from "../../api/releases";

export interface Bars {
  /** Upper bounds of the bars in milliseconds; each is the same multiple of the one before. */
  bounds: number[];
  /** Of each side, the share of its runs in each bar. */
  canary: number[];
  live: number[];
  /** The largest share. */
  top: number;
}

const MOST_BARS = 28;
/** Bars narrower than this multiple tell nothing. */
const LEAST_STEP = 1.1;

/** Both sides over one logarithmic axis, which has room for the bound of the rule; null where no run has ended. */
export function barsOf(canary: CanarySide, live: CanarySide, limit?: number | null): Bars | null {
  const times = [...canary.durations, ...live.durations].map(([upTo = 1]) => upTo);
  if (times.length === 0) return null;
  const shown = limit ? [...times, limit] : times;
  const low = Math.max(1, Math.min(...shown)) / LEAST_STEP;
  const high = Math.max(...shown, low * LEAST_STEP) * LEAST_STEP;
  const count = Math.max(4, Math.min(MOST_BARS, Math.ceil(Math.log(high / low) / Math.log(LEAST_STEP))));
  const step = (high / low) ** (1 / count);
  const bounds = Array.from({ length: count }, (_, place) => low * step ** (place + 1));
  const shares = [sharesOf(canary, bounds), sharesOf(live, bounds)] as const;
  return { bounds, canary: shares[0], live: shares[1], top: Math.max(...shares[0], ...shares[1]) };
}

function sharesOf({ durations }: CanarySide, bounds: number[]): number[] {
  const counts = bounds.map(() => 0);
  let all = 0;
  for (const [upTo = 1, count = 0] of durations) {
    const place = bounds.findIndex((bound) => upTo <= bound);
    const bar = place < 0 ? counts.length - 1 : place;
    counts[bar] = (counts[bar] ?? 0) + count;
    all += count;
  }
  return counts.map((count) => count / Math.max(1, all));
}

/** The place of a time on the axis, from 0 to 1. */
export function placeOf({ bounds }: Bars, ms: number): number {
  const [first = 1, second = 2] = bounds;
  const step = second / first;
  const low = first / step;
  const high = bounds.at(-1) ?? second;
  return Math.min(1, Math.max(0, Math.log(Math.max(1, ms) / low) / Math.log(high / low)));
}
