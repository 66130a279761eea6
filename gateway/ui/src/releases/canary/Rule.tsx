import type { ReactNode } from "react";
import type { Canary, CanarySide } from "../../api/releases";
import { duration } from "../../components/Ago";
import { percent, ruleInWords } from "../words";
import { distanceOf } from "./standing";

/** The rule of a canary, and how far its figures are from each bound. */
export function Rule({ canary, side }: { canary: Canary; side: CanarySide }) {
  const { minRuns, mostFailed, state } = distanceOf(canary, side);
  const { maxErrorRate, maxP95Ms } = canary;
  return (
    <section className="stack rule" aria-label="Rule">
      <p>{ruleInWords(canary)}</p>
      {state !== "free" && (
        <div className="meters">
          <Meter label="Runs until it decides" value={side.runs} most={minRuns} look="progress">
            {side.runs < minRuns ? `${side.runs.toLocaleString("en")} of ${minRuns.toLocaleString("en")}` : `${side.runs.toLocaleString("en")}, it decides`}
          </Meter>
          {typeof maxErrorRate === "number" && (
            <Meter label="Failed runs" value={side.errorRate ?? 0} most={maxErrorRate} hint={mostFailed === null ? undefined : failedInWords(mostFailed, Math.max(side.runs, minRuns))}>
              {percent(side.errorRate ?? 0)} of at most {percent(maxErrorRate)}
            </Meter>
          )}
          {typeof maxP95Ms === "number" && (
            <Meter label="p95 of times" value={side.p95Ms ?? 0} most={maxP95Ms}>
              {side.p95Ms === null ? "–" : duration(side.p95Ms)} of at most {duration(maxP95Ms)}
            </Meter>
          )}
        </div>
      )}
    </section>
  );
}

function failedInWords(count: number, runs: number): string {
  return `Taken back at ${count.toLocaleString("en")} failed of ${runs.toLocaleString("en")}`;
}

interface MeterProps {
  label: string;
  value: number;
  most: number;
  /** A bar that is good when it is full, or one that must not get full. */
  look?: "progress" | "bound";
  hint?: string | undefined;
  children: ReactNode;
}

const NEAR = 0.75;

function Meter({ label, value, most, look = "bound", hint, children }: MeterProps) {
  // A bound of 0 is reached by the first.
  const share = most > 0 ? value / most : value > 0 ? 2 : 0;
  const state = look === "progress" ? "active" : share > 1 ? "bad" : share >= NEAR ? "warn" : "good";
  return (
    <div className="meter">
      <p className="row spread small">
        <span>{label}</span>
        <strong className="figures">{children}</strong>
      </p>
      <div className="meter-bar" aria-hidden="true">
        <span className={state} style={{ width: `${Math.min(1, share) * 100}%` }} />
      </div>
      {hint && <p className="hint">{hint}</p>}
    </div>
  );
}
