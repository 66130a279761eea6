/** Trials of CEL expressions over values, while somebody types. */

import { useEffect, useState } from "react";
import { type ApiError, call, secondsToWait } from "./client";
import type { ExpressionTrial } from "./types";

const PAUSE_MS = 300;

/** Values by the names of the variables. */
export interface TrialValues {
  value?: unknown;
  variables: Record<string, unknown>;
}

/**
 * The result of an expression, asked for shortly after each change; one question at a time.
 *
 * `load` gives the values and keeps its identity while they stay the same; null asks nothing.
 */
export function useTrial(expression: string, load: (() => Promise<TrialValues>) | null): ExpressionTrial | null {
  const [trial, setTrial] = useState<ExpressionTrial | null>(null);
  useEffect(() => {
    if (!load || !expression.trim()) return setTrial(null);
    let isWanted = true;
    let timer = 0;
    const ask = async (): Promise<void> => {
      const answer = await attempt(expression, load);
      if (!isWanted) return;
      if (typeof answer === "number") timer = window.setTimeout(() => void ask(), answer * 1000);
      else setTrial(answer);
    };
    timer = window.setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [expression, load]);
  return trial;
}

let turn: Promise<unknown> = Promise.resolve();

/** Return the answer, or the seconds after which the server takes another trial. */
function attempt(expression: string, load: () => Promise<TrialValues>): Promise<ExpressionTrial | number> {
  const ask = turn.then(async (): Promise<ExpressionTrial | number> => {
    try {
      return await call<ExpressionTrial>("POST", "/api/expressions/try", { expression, ...(await load()) });
    } catch (error) {
      const seconds = secondsToWait(error);
      if (seconds !== null) return seconds;
      return { result: null, truncated: false, problem: (error as ApiError).message };
    }
  });
  turn = ask;
  return ask;
}
