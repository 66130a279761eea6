import { lazy, Suspense, useEffect, useId, useMemo, useState } from "react";
import { useResource } from "../api/resource";
import type { ApiKey } from "../api/types";
import { duration } from "../components/Ago";
import { Empty, Failed, Loading } from "../components/States";
import { Tabs } from "../components/Tabs";
import { navigate, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { tokenOf } from "./colours";
import { AllFigures, Sums } from "./Figures";
import { LENGTHS, type Line, linesOf, type Metric, RANGES, type SeriesRow, type Span, timesOf } from "./series";
import "./usage.css";

const Chart = lazy(() => import("./Chart").then((module) => ({ default: module.Chart })));

const BY = { workflow: "By workflow", model: "By model", key: "By API key", status: "By status" } as const;
type By = keyof typeof BY;
const NAMES = Object.entries(BY) as [By, string][];
/** Filters of the list of executions, for keys of each kind. */
const FILTERS: Record<By, string> = { workflow: "workflowSlug", model: "modelId", key: "keyId", status: "status" };
const NO_KEY: Record<By, string> = {
  workflow: "Runs of models",
  model: "Without a model",
  key: "Pages",
  status: "Unknown",
};
const RENEW_MS = 30_000;

const count = (value: number): string => value.toLocaleString("en");
const CHARTS: [Metric, string, (value: number) => string][] = [
  ["runs", "Runs", count],
  ["failed", "Failed", count],
  ["p50Ms", "Median time (p50)", duration],
  ["p95Ms", "Time that 95 of 100 stay below (p95)", duration],
  ["credits", "Credits", count],
];

/** What ran, failed, took and cost over time. */
export default function Usage() {
  usePageTitle("Usage");
  const [range, setRange] = useParameter("range", "24h");
  const [chosen, setBy] = useParameter("by", "workflow");
  const id = useId();
  const by = NAMES.find(([name]) => name === chosen)?.[0] ?? "workflow";
  const shown = range in RANGES ? range : "24h";
  const choose = (label: string): void => setBy(NAMES.find(([, each]) => each === label)?.[0] ?? "workflow");
  return (
    <>
      <div className="page-head">
        <h1>Usage</h1>
        <div className="filter">
          <label htmlFor={id}>Time</label>
          <select id={id} className="input compact" value={shown} onChange={(event) => setRange(event.target.value)}>
            {Object.entries(RANGES).map(([each, { name }]) => (
              <option key={each} value={each}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Tabs label="Usage" tabs={Object.values(BY)} chosen={BY[by]} onChoose={choose}>
        <Series key={`${shown} ${by}`} range={shown} by={by} />
      </Tabs>
    </>
  );
}

/** The span of a range that ends now; it is renewed while the page is in view. */
function useSpan(range: string): Span {
  const make = (): Span => {
    const { length, bucket } = RANGES[range] as (typeof RANGES)[string];
    const to = Date.now();
    return { from: to - length, to, bucket };
  };
  const [span, setSpan] = useState(make);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another range makes another component
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && setSpan(make()), RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  return span;
}

/** The last answer, until the next one is there. */
function useKept<T>(value: T | undefined): T | undefined {
  const [kept, keep] = useState(value);
  useEffect(() => {
    if (value !== undefined) keep(value);
  }, [value]);
  return value ?? kept;
}

function Series({ range, by }: { range: string; by: By }) {
  const span = useSpan(range);
  const query = new URLSearchParams({
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    bucket: span.bucket,
    by,
  });
  const { data, error, reload } = useResource<{ rows: SeriesRow[] }>(`/api/usage/series?${query}`);
  const rows = useKept(data)?.rows;
  const keys = useResource<ApiKey[]>(by === "key" ? "/api/api-keys" : null).data;
  const lines = useMemo(() => linesOf(rows ?? []), [rows]);
  const times = useMemo(() => timesOf(span), [span]);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  if (rows.length === 0) {
    return (
      <Empty title="Nothing ran in this time">
        <p>Choose a longer time, or run a workflow.</p>
      </Empty>
    );
  }
  const names = lines.map((line) => nameOf(line, by, keys));
  const tokens = lines.map((line, place) => tokenOf(place, line.key, by));
  const canFilter = (line: Line): boolean => isFilter(line, by);
  const addressOf = (line: Line, at?: number): string => executionsAddress(line, by, span, at);
  return (
    <div className="stack usage">
      <Totals lines={lines} />
      <Suspense fallback={<Loading height="24rem" />}>
        <div className="charts">
          {CHARTS.map(([metric, title, format]) => (
            <Chart
              key={metric}
              {...{ metric, title, format, lines, names, tokens, times }}
              length={LENGTHS[span.bucket]}
              onPick={(line, at) => navigate(addressOf(line, at))}
            />
          ))}
        </div>
      </Suspense>
      <Sums {...{ lines, names, tokens, addressOf, canFilter }} />
      <Details>
        <AllFigures {...{ lines, names, tokens, addressOf, canFilter }} />
      </Details>
    </div>
  );
}

/** A table that is made once it is asked for. */
function Details({ children }: { children: React.ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All figures as a table</summary>
      {isOpen && children}
    </details>
  );
}

function Totals({ lines }: { lines: Line[] }) {
  const sum = (metric: "runs" | "failed" | "credits"): number => lines.reduce((total, line) => total + line[metric], 0);
  return (
    <dl className="totals">
      {(["runs", "failed", "credits"] as const).map((metric) => (
        <div key={metric}>
          <dt>{metric}</dt>
          <dd className="figures">{count(sum(metric))}</dd>
        </div>
      ))}
    </dl>
  );
}

function nameOf({ key }: Line, by: By, keys: ApiKey[] | undefined): string {
  if (key === undefined) return "All others";
  if (key === null) return NO_KEY[by];
  if (by !== "key") return key.replace("_", " ");
  const known = keys?.find((each) => each.id === key);
  return known ? `${known.name} (…${known.last4})` : key;
}

/** Whether the list of executions has a filter for a line: it has none for the absence of a key or a model. */
function isFilter({ key }: Line, by: By): boolean {
  return typeof key === "string" || (key === null && by === "workflow");
}

/** The executions of a line; those of the time where there is no filter for it. */
function executionsAddress({ key }: Line, by: By, span: Span, at?: number): string {
  const parameters = new URLSearchParams();
  if (typeof key === "string") parameters.set(FILTERS[by], key);
  else if (key === null && by === "workflow") parameters.set("source", "api-slim");
  parameters.set("from", new Date(at ?? span.from).toISOString());
  parameters.set("to", new Date(at === undefined ? span.to : at + LENGTHS[span.bucket]).toISOString());
  return `/app/executions?${parameters}`;
}
