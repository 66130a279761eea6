/** Filters of executions: in the address of the page, and in queries of the API. */

import { useMemo } from "react";
import { splitTags } from "../components/tags";
import { RANGES } from "../components/TimeRange";
import { setParameters, useSearch } from "../shell/router";

/** Names of filters, in the address as in the API; statuses and tags are separated by commas in the address. */
export const NAMES = [
  "status",
  "workflowSlug",
  "source",
  "keyId",
  "modelId",
  "errorCode",
  "version",
  "httpRequestId",
  "traceId",
  "tag",
  "batchId",
  "triggerId",
  "q",
  "range",
  "from",
  "to",
] as const;
export type FilterName = (typeof NAMES)[number];
export type Filters = Record<FilterName, string>;

export const STATUSES = ["processing", "completed", "failed", "cancel_requested", "cancelled"];
export const SOURCES: Record<string, string> = {
  "api-workflow": "API, workflow",
  "api-slim": "API, model",
  app: "Pages",
  "app-draft": "Draft",
  batch: "Batch",
  trigger: "Trigger",
  mcp: "MCP",
  replay: "Replay",
  test: "Test",
};

/** Value of a filter that selects executions without a key, or without a model. */
export const NONE = "-";

export function readFilters(search: string): Filters {
  const parameters = new URLSearchParams(search);
  return Object.fromEntries(NAMES.map((name) => [name, parameters.get(name) ?? ""])) as Filters;
}

export function statusesOf(filters: Filters): string[] {
  return filters.status.split(",").filter((each) => STATUSES.includes(each));
}

/** Whether anything is filtered. */
export function isFiltered(filters: Filters): boolean {
  return NAMES.some((name) => filters[name] !== "");
}

export function clearFilters(): void {
  setParameters(Object.fromEntries(NAMES.map((name) => [name, ""])));
}

/** Filters as the API takes them, by name; a quick range begins that long before `now`. */
export function conditions(filters: Filters, now: number): Record<string, string | string[]> {
  const { range, status: _, tag, ...others } = filters;
  const values: Record<string, string | string[]> = Object.fromEntries(
    Object.entries(others).filter(([, value]) => value !== ""),
  );
  const length = RANGES[range]?.[1];
  if (length) values.from = new Date(now - length).toISOString();
  const statuses = statusesOf(filters);
  if (statuses.length > 0) values.status = statuses;
  const tags = splitTags(tag);
  if (tags.length > 0) values.tag = tags;
  return values;
}

/** The query of a list for these conditions. */
export function queryOf(found: Record<string, string | string[]>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(found)) {
    for (const each of [value].flat()) parameters.append(name, each);
  }
  return parameters.toString();
}

let remembered = "";

/** Address of the list as it was seen last. */
export function listAddress(): string {
  return `/app/executions${remembered}`;
}

/** The filters of the address, and the query for them. */
export function useFilters(): { filters: Filters; query: string } {
  const search = useSearch();
  remembered = search;
  return useMemo(() => {
    const filters = readFilters(search);
    return { filters, query: queryOf(conditions(filters, Date.now())) };
  }, [search]);
}
