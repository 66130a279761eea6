import { type ComponentProps, lazy, Suspense, useEffect, useMemo, useState } from "react";
import { useResource } from "../api/resource";
import type { ApiKey, SeriesRow, UsageSeries } from "../api/types";
import { duration } from "../components/Ago";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { TagFilter } from "../components/TagFilter";
import { Tabs } from "../components/Tabs";
import { splitTags } from "../components/tags";
import { type Chosen, RANGES, TimeRange } from "../components/TimeRange";
import { navigate, setParameters, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { NONE } from "../executions/filters";
import { tokenOf } from "./colours";
import { AllFigures, Sums } from "./Figures";
import { aroundBuckets, LENGTHS, type Line, linesOf, type Metric, type Span, spanOf, timesOf, valuesOf } from "./series";
import { MOST_RUNS, seriesOf, useTagged } from "./tagged";
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
/** Filters of the list for lines without a key; runs of models have no workflow. */
const WITHOUT: Partial<Record<By, [string, string]>> = { model: ["modelId", NONE], key: ["keyId", NONE] };
const RENEW_MS = 30_000;

const count = (value: number): string => value.toLocaleString("en");
const DURATIONS: Metric[] = ["p50Ms", "p95Ms"];
const CHARTS: [Metric, string, (value: number) => string][] = [
  ["runs", "Runs", count],
  ["failed", "Failed", count],
  ["p50Ms", "Median time (p50)", duration],
  ["p95Ms", "Time that 95 of 100 stay below (p95)", duration],
  ["credits", "Credits", count],
];

/** Runs, failures, durations and costs over time. */
export default function Usage() {
  usePageTitle("Usage");
  const [range] = useParameter("range", "24h");
  const [from] = useParameter("from", "");
  const [to] = useParameter("to", "");
  const [chosen, setBy] = useParameter("by", "workflow");
  const [tags] = useParameter("tag", "");
  const offered = NAMES.filter(([name]) => tags === "" || name !== "key");
  const by = offered.find(([name]) => name === chosen)?.[0] ?? "workflow";
  const time: Chosen = { range: range in RANGES ? range : "24h", from, to };
  const span = useSpan(time);
  const choose = (label: string): void => setBy(NAMES.find(([, each]) => each === label)?.[0] ?? "workflow");
  return (
    <>
      <div className="page-head">
        <h1>Usage</h1>
        <div className="time-row">
          <TimeRange chosen={time} begin={() => [span.from, span.to]} />
          <Steps span={span} />
          <TagFilter value={tags} />
        </div>
      </div>
      <Tabs label="Usage" tabs={offered.map(([, name]) => name)} chosen={BY[by]} onChoose={choose}>
        {tags ? (
          <TaggedSeries key={`${time.range} ${from} ${to} ${tags}`} span={span} by={by} tags={tags} />
        ) : (
          <Series key={`${time.range} ${from} ${to} ${by}`} span={span} by={by} />
        )}
      </Tabs>
    </>
  );
}

/** Show a time; the way back in the browser leads to the one before. */
function showTime(from: number, to: number): void {
  setParameters({ range: "", from: new Date(from).toISOString(), to: new Date(to).toISOString() }, true);
}

/** Moves to the time before or after, or shows twice as much. */
function Steps({ span: { from, to } }: { span: Span }) {
  const length = to - from;
  const isNow = to >= Date.now() - RENEW_MS;
  return (
    <div className="time-steps">
      <Button isCompact aria-label="Earlier" title="Earlier" onClick={() => showTime(from - length, from)}>
        ‹
      </Button>
      <Button isCompact aria-label="Later" title="Later" disabled={isNow} onClick={() => showTime(to, to + length)}>
        ›
      </Button>
      <Button isCompact onClick={() => showTime(from - length / 2, Math.min(Date.now(), to + length / 2))}>
        Zoom out
      </Button>
    </div>
  );
}

/** The span of the chosen time; one that ends now is renewed while the page is in view. */
function useSpan(chosen: Chosen): Span {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && setNow(Date.now()), RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  const { range, from, to } = chosen;
  // A range that was chosen since begins anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the clock is read when one of these changes
  return useMemo(() => spanOf({ range, from, to }, Date.now()), [range, from, to, now]);
}

/** The last answer, until the next one is there. */
function useKept<T>(value: T | undefined): T | undefined {
  const [kept, keep] = useState(value);
  useEffect(() => {
    if (value !== undefined) keep(value);
  }, [value]);
  return value ?? kept;
}

function Series({ span, by }: { span: Span; by: By }) {
  const query = new URLSearchParams({
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    bucket: span.bucket,
    by,
  });
  const { data, error, reload } = useResource<UsageSeries>(`/api/usage/series?${query}`);
  const rows = useKept(data)?.rows;
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  return <FigureView rows={rows} span={span} by={by} tags="" />;
}

/** The figures of runs that have all of the tags. */
function TaggedSeries({ span, by, tags }: { span: Span; by: By; tags: string }) {
  const wanted = useMemo(() => splitTags(tags), [tags]);
  const { data, error } = useTagged(wanted, span);
  const rows = useMemo(() => data && seriesOf(data.runs, span, by), [data, span, by]);
  if (!rows) return error ? <Failed error={error} /> : <Loading height="24rem" />;
  return (
    <>
      {!data?.isWhole && <p className="note warn">Of many runs, the newest {MOST_RUNS.toLocaleString("en")} are summed up.</p>}
      <FigureView rows={rows} span={span} by={by} tags={tags} />
    </>
  );
}

/** Figures as sums, charts and tables. */
function FigureView({ rows, span, by, tags }: { rows: SeriesRow[]; span: Span; by: By; tags: string }) {
  const keys = useResource<ApiKey[]>(by === "key" ? "/api/api-keys" : null).data;
  const lines = useMemo(() => linesOf(rows), [rows]);
  const times = useMemo(() => timesOf(span), [span]);
  if (rows.length === 0) {
    return (
      <Empty title="Nothing ran in this time">
        <p>{tags ? "Choose a longer time, or other tags." : "Choose a longer time, or run a workflow."}</p>
      </Empty>
    );
  }
  const names = lines.map((line) => nameOf(line, by, keys));
  const tokens = lines.map((line, place) => tokenOf(place, line.key, by));
  const addressOf = (line: Line, at?: number): string => executionsAddress(line, by, span, tags, at);
  return (
    <div className="stack usage">
      <Totals lines={lines} />
      <Suspense fallback={<Loading height="24rem" />}>
        <div className="charts">
          {CHARTS.map(([metric, title, format]) => (
            <MetricChart
              key={metric}
              {...{ metric, title, format, lines, names, tokens, times }}
              length={LENGTHS[span.bucket]}
              onPick={(line, at) => navigate(addressOf(lines[line] as Line, at))}
              onZoom={(from, to) => showTime(...aroundBuckets(from, to, span.bucket))}
            />
          ))}
        </div>
      </Suspense>
      <Sums {...{ lines, names, tokens, addressOf }} />
      <Details>
        <AllFigures {...{ lines, names, tokens, addressOf }} />
      </Details>
    </div>
  );
}

type ChartProps = Omit<ComponentProps<typeof Chart>, "values" | "isStacked"> & { metric: Metric; lines: Line[] };

/** Counts as bars on top of each other, durations as lines. */
function MetricChart({ metric, lines, ...others }: ChartProps) {
  const { times } = others;
  const values = useMemo(() => lines.map((line) => valuesOf(line, metric, times)), [metric, lines, times]);
  return <Chart {...others} values={values} isStacked={!DURATIONS.includes(metric)} />;
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

/** The executions of a line; all of the time for those that have no line of their own. */
function executionsAddress({ key }: Line, by: By, span: Span, tags: string, at?: number): string {
  const parameters = new URLSearchParams(tags ? { tag: tags } : {});
  if (typeof key === "string") parameters.set(FILTERS[by], key);
  else if (key === null) parameters.set(...(WITHOUT[by] ?? ["source", "api-slim"]));
  parameters.set("from", new Date(at ?? span.from).toISOString());
  parameters.set("to", new Date(at === undefined ? span.to : at + LENGTHS[span.bucket]).toISOString());
  return `/app/executions?${parameters}`;
}
