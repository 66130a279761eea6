/** Aliases of a workflow, their canaries and their history. */

import { call } from "./client";
import { WORKFLOWS } from "./paths";
import { invalidate, replaceAnswer } from "./resource";
import type { Alias, AliasHistory, AliasPage, CanaryFigures, CanaryOfAlias } from "./schemas";

export type { Alias, AliasHistory, AliasPage, CanaryFigures, CanaryOfAlias } from "./schemas";
/** The share of a canary and its bounds. */
export type { PublishedCanary as CanaryRule } from "./schemas";
export type Canary = NonNullable<Alias["canary"]>;
/** Counts of the runs of the canary, or of those beside it. */
export type CanarySide = CanaryFigures["canary"];
export type AliasChange = AliasHistory["rows"][number];
/** The target of an alias before or after a change. */
export type AliasState = NonNullable<AliasChange["change"]["from"]>;

/** A canary that was taken back by itself, as the account's events tell it. */
export interface RolledBack {
  workflowSlug: string;
  alias: string;
  canary: Canary;
  reason: string;
}

/** The alias of callers who name no version. */
export const LIVE = "live";
export const USUAL_MIN_RUNS = 50;

export function aliasesPath(slug: string): string {
  return `${WORKFLOWS}/${slug}/aliases`;
}

export function aliasPath(slug: string, name: string): string {
  return `${aliasesPath(slug)}/${name}`;
}

export function releasesAddress(slug: string): string {
  return `/app/workflows/${slug}/releases`;
}

/** Set the version and the canary of an alias. Raises ApiError. */
export async function putAlias(slug: string, name: string, version: number, canary?: CanaryOfAlias | null): Promise<void> {
  show(slug, name, await call<Alias>("PUT", aliasPath(slug, name), { version, canary: canary ? asked(canary) : null }));
}

/** The members of a canary that a request has. */
function asked({ version, percent, minRuns, maxErrorRate, maxP95Ms }: CanaryOfAlias): CanaryOfAlias {
  return { version, percent, minRuns, maxErrorRate, maxP95Ms };
}

/** Make the canary the version of its alias. Raises ApiError. */
export async function promote(slug: string, name: string): Promise<void> {
  show(slug, name, await call<Alias>("POST", `${aliasPath(slug, name)}/promote`));
}

export async function deleteAlias(slug: string, name: string): Promise<void> {
  await call<unknown>("DELETE", aliasPath(slug, name));
  show(slug, name, null);
}

/** Show a change of an alias, and then read again: a promotion has changed the live version besides. */
function show(slug: string, name: string, alias: Alias | null): void {
  replaceAnswer<AliasPage>(aliasesPath(slug), (page) => {
    const rows = page.rows.flatMap((row) => (row.name !== name ? row : (alias ?? [])));
    return { ...page, rows: alias && !page.rows.some((row) => row.name === name) ? [...rows, alias] : rows };
  });
  // Once parts are gone that would ask for something that is no more.
  setTimeout(() => invalidate(WORKFLOWS));
}
