/** The canary of a form: texts as they are typed, and the rule that they make. */

import { type CanaryRule, USUAL_MIN_RUNS } from "../../api/releases";

export interface CanaryTexts {
  percent: string;
  minRuns: string;
  /** In percent; empty for no bound. */
  maxError: string;
  /** In seconds; empty for no bound. */
  maxP95: string;
}

export type CanaryFaults = Partial<Record<keyof CanaryTexts, string>>;

export const USUAL: CanaryTexts = { percent: "5", minRuns: String(USUAL_MIN_RUNS), maxError: "5", maxP95: "" };
const MOST_RUNS = 1_000_000;
const SECOND_MS = 1_000;

export function textsOf({ percent, minRuns = USUAL_MIN_RUNS, maxErrorRate, maxP95Ms }: CanaryRule): CanaryTexts {
  return {
    percent: String(percent),
    minRuns: String(minRuns),
    maxError: typeof maxErrorRate === "number" ? String(Number((maxErrorRate * 100).toFixed(4))) : "",
    maxP95: typeof maxP95Ms === "number" ? String(maxP95Ms / SECOND_MS) : "",
  };
}

export function faultsOf({ percent, minRuns, maxError, maxP95 }: CanaryTexts): CanaryFaults {
  const faults: CanaryFaults = {};
  if (!isWhole(percent, 1, 99)) faults.percent = "A whole number from 1 to 99.";
  if (!isWhole(minRuns, 1, MOST_RUNS)) faults.minRuns = `A whole number from 1 to ${MOST_RUNS.toLocaleString("en")}.`;
  if (maxError.trim() && !isWithin(maxError, 0, 100)) faults.maxError = "A number from 0 to 100, or nothing.";
  if (maxP95.trim() && !isWithin(maxP95, 0.001, 86_400)) faults.maxP95 = "A number of seconds above 0, or nothing.";
  return faults;
}

/** The rule of texts without faults. */
export function ruleOf({ percent, minRuns, maxError, maxP95 }: CanaryTexts): CanaryRule {
  return {
    percent: Number(percent),
    minRuns: Number(minRuns),
    ...(maxError.trim() && { maxErrorRate: Number((Number(maxError) / 100).toFixed(6)) }),
    ...(maxP95.trim() && { maxP95Ms: Math.round(Number(maxP95) * SECOND_MS) }),
  };
}

function isWithin(text: string, low: number, high: number): boolean {
  const value = Number(text);
  return text.trim() !== "" && value >= low && value <= high;
}

function isWhole(text: string, low: number, high: number): boolean {
  return isWithin(text, low, high) && Number.isInteger(Number(text));
}
