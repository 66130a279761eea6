/** Words for aliases, canaries and their changes. */

import { type AliasChange, type AliasState, type Canary, type CanaryRule, LIVE, USUAL_MIN_RUNS } from "../api/releases";
import { duration } from "../components/Ago";

/** The callers of an alias. */
export function callersOf(name: string): string {
  return name === LIVE ? "Callers who name no version" : `Callers who name ${name}`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 })} %`;
}

/** The rule of a canary as a sentence. */
export function ruleInWords({ minRuns = USUAL_MIN_RUNS, maxErrorRate, maxP95Ms }: CanaryRule): string {
  const bounds = [
    typeof maxErrorRate === "number" && `more than ${percent(maxErrorRate)} of them failed`,
    typeof maxP95Ms === "number" && `the p95 of their times is above ${duration(maxP95Ms)}`,
  ].filter(Boolean);
  if (bounds.length === 0) return "It has no rule, so it is never taken back by itself.";
  return `From ${minRuns.toLocaleString("en")} runs of its own on, it is taken back by itself once ${bounds.join(", or ")}.`;
}

export function isTakenBack({ by, change: { from, to } }: AliasChange): boolean {
  return by === "system" && Boolean(from?.canary) && !to?.canary;
}

/** A change of an alias as a sentence. */
export function changeInWords(entry: AliasChange): string {
  const { from, to } = entry.change;
  if (!to) return "The alias was deleted";
  if (!from) return to.canary ? `Set to version ${to.version}, with ${asCanary(to.canary)}` : `Set to version ${to.version}`;
  if (!from.canary) return withoutCanary(from, to);
  if (isTakenBack(entry)) return `Version ${from.canary.version} was taken back by itself`;
  return withCanary(from.canary, from, to);
}

function withoutCanary(from: AliasState, to: AliasState): string {
  const version = from.version === to.version ? "" : `From version ${from.version} to version ${to.version}`;
  if (!to.canary) return version || "Set anew";
  return version ? `${version}, with ${asCanary(to.canary)}` : `Version ${to.canary.version} began as a canary with ${to.canary.percent} % of the runs`;
}

function withCanary(before: Canary, from: AliasState, to: AliasState): string {
  const { canary, version } = to;
  if (canary && canary.version === before.version) {
    return canary.percent === before.percent ? `The rule of the canary, version ${canary.version}, changed` : `The share of the canary, version ${canary.version}, went from ${before.percent} % to ${canary.percent} %`;
  }
  if (canary) return `Version ${canary.version} took the place of version ${before.version} as the canary, with ${canary.percent} %`;
  if (version === before.version) return `Version ${version} was promoted`;
  if (version === from.version) return `Version ${before.version}, the canary, was taken back`;
  return `From version ${from.version} to version ${version}, which ended the canary, version ${before.version}`;
}

function asCanary(canary: Canary): string {
  return `version ${canary.version} as a canary with ${canary.percent} %`;
}
