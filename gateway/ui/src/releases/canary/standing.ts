/** How a canary stands against its rule. */

import { type Canary, type CanarySide, USUAL_MIN_RUNS } from "../../api/releases";

export type Standing = "early" | "within" | "above" | "free";

export interface Distance {
  state: Standing;
  minRuns: number;
  /** Least number of failed runs at which it is taken back, if no further run completes; null without such a bound. */
  mostFailed: number | null;
}

/** The distance of a canary to its rule, which decides on the server. */
export function distanceOf({ minRuns = USUAL_MIN_RUNS, maxErrorRate, maxP95Ms }: Canary, side: CanarySide): Distance {
  const hasErrors = typeof maxErrorRate === "number";
  const hasTime = typeof maxP95Ms === "number";
  const counted = Math.max(side.runs, minRuns);
  // The product of 0.07 and 100 is a little more than 7.
  const mostFailed = hasErrors ? Math.floor(maxErrorRate * counted + 1e-9) + 1 : null;
  const isAbove = (hasErrors && (side.errorRate ?? 0) > maxErrorRate) || (hasTime && (side.p95Ms ?? 0) > maxP95Ms);
  let state: Standing = "within";
  if (!hasErrors && !hasTime) state = "free";
  else if (isAbove) state = "above";
  else if (side.runs < minRuns) state = "early";
  return { state, minRuns, mostFailed };
}
