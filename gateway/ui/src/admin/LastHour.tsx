import { lazy, Suspense, useMemo, useState } from "react";
import type { InstallationSample, InstallationSeries } from "../api/types";
import { duration } from "../components/Ago";
import { Failed, Loading } from "../components/States";
import "../usage/usage.css";
import { Busiest } from "./Busiest";
import { byPlace, highest, PLACE_MS, placesOf, rate, useLastHour } from "./hour";

const Chart = lazy(() => import("../usage/Chart").then((module) => ({ default: module.Chart })));
/** Length of time of a row of the table. */
const ROW_MS = 300_000;
const MEGABYTE = 1_048_576;

interface HourLine {
  name: string;
  token: string;
  valueOf: (samples: InstallationSample[]) => number | null;
}

interface HourChart {
  title: string;
  isStacked: boolean;
  format: (value: number) => string;
  least?: number;
  lines: HourLine[];
}

const perSecond = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 0 });
const whole = (value: number): string => Math.round(value).toLocaleString("en");
const seconds = (value: number): string => duration(value * 1_000);
const megabytes = (value: number): string => `${perSecond(value)} MB`;
const counted = (name: string, token: string, count: (sample: InstallationSample) => number): HourLine => ({
  name,
  token,
  valueOf: (samples) => rate(samples, count),
});
const peak = (name: string, token: string, value: (sample: InstallationSample) => number | null): HourLine => ({
  name,
  token,
  valueOf: (samples) => highest(samples, value),
});

const CHARTS: HourChart[] = [
  {
    title: "Runs that ended, per second",
    isStacked: true,
    format: perSecond,
    least: 0.1,
    lines: [
      counted("completed", "--good", (sample) => sample.completed),
      counted("failed", "--bad", (sample) => sample.failed),
      counted("cancelled", "--warn", (sample) => sample.cancelled),
    ],
  },
  {
    title: "Time of a run",
    isStacked: false,
    format: duration,
    lines: [
      peak("median", "--accent", (sample) => sample.p50Ms),
      peak("95 of 100", "--socket-text", (sample) => sample.p95Ms),
      peak("wait before, 95 of 100", "--socket-any", (sample) => sample.waitP95Ms),
    ],
  },
  {
    title: "Work that waits for a worker",
    isStacked: true,
    format: whole,
    lines: [
      peak("executions", "--accent", (sample) => sample.waiting.walk ?? 0),
      peak("of busy accounts", "--socket-any", (sample) => sample.waiting.bulk ?? 0),
      peak("deliveries", "--socket-text", (sample) => sample.waiting.deliver ?? 0),
    ],
  },
  {
    title: "Requests per second",
    isStacked: true,
    format: perSecond,
    least: 0.1,
    lines: [
      counted("answered", "--accent", (sample) => sample.requests - sample.serverErrors),
      counted("500 and above", "--bad", (sample) => sample.serverErrors),
    ],
  },
  {
    title: "Executions",
    isStacked: false,
    format: whole,
    lines: [
      peak("held by workers", "--accent", (sample) => sample.held),
      peak("not ended", "--socket-text", (sample) => sample.active),
      peak("wait for a time or an answer", "--muted", (sample) => sample.parked),
    ],
  },
  {
    title: "Behind by",
    isStacked: false,
    format: seconds,
    lines: [
      peak("oldest execution", "--accent", (sample) => sample.oldestWaitSeconds),
      peak("due steps", "--socket-any", (sample) => sample.dueLagSeconds),
      peak("webhooks", "--socket-text", (sample) => sample.oldestDeliverySeconds),
      peak("history", "--muted", (sample) => sample.historyLagSeconds),
    ],
  },
  {
    title: "Memory of Redis",
    isStacked: false,
    format: megabytes,
    lines: [
      peak("used", "--accent", (sample) => sample.redisUsedBytes / MEGABYTE),
      peak("limit", "--bad", (sample) => sample.redisLimitBytes / MEGABYTE || null),
    ],
  },
  {
    title: "Delays inside, 99 of 100",
    isStacked: false,
    format: duration,
    lines: [
      peak("event loops", "--accent", (sample) => sample.loopLagP99Ms),
      peak("round trip to Redis", "--socket-text", (sample) => sample.redisP99Ms),
    ],
  },
];

/** The last hour as charts, with the node types and providers that took part. */
export function LastHour() {
  const { data, error, reload } = useLastHour();
  return (
    <section className="stack last-hour" aria-labelledby="last-hour">
      <h2 id="last-hour">Last hour</h2>
      {!data && (error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />)}
      {data && data.samples.length === 0 && (
        <p className="muted">There is no sample yet: a worker takes one every {data.sampleSeconds} seconds, from its second on.</p>
      )}
      {data && data.samples.length > 0 && <Drawn series={data} />}
    </section>
  );
}

function Drawn({ series }: { series: InstallationSeries }) {
  const times = useMemo(() => placesOf(series.at), [series]);
  const places = useMemo(() => byPlace(series.samples, times), [series, times]);
  return (
    <>
      <Suspense fallback={<Loading height="24rem" />}>
        <div className="charts">
          {CHARTS.map((chart) => (
            <Drawing key={chart.title} {...{ chart, places, times }} />
          ))}
        </div>
      </Suspense>
      <Busiest series={series} />
      <Details series={series} />
    </>
  );
}

function Drawing({ chart, places, times }: { chart: HourChart; places: InstallationSample[][]; times: number[] }) {
  const { title, isStacked, format, least, lines } = chart;
  const values = useMemo(() => lines.map(({ valueOf }) => places.map(valueOf)), [lines, places]);
  const now = values.map((line) => line.findLast((value) => value !== null));
  const legend = (
    <ul className="series-legend">
      {lines.map(({ name, token }, place) => (
        <li key={name}>
          <span className="swatch" style={{ background: `var(${token})` }} aria-hidden="true" />
          {name} <span className="figures">{now[place] === undefined ? "–" : format(now[place] as number)}</span>
        </li>
      ))}
    </ul>
  );
  return (
    <Chart
      {...{ title, values, times, isStacked, format, least, legend }}
      names={lines.map(({ name }) => name)}
      tokens={lines.map(({ token }) => token)}
      length={PLACE_MS}
      hasFractions={format !== whole}
    />
  );
}

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });

/** The figures of the charts by five minutes, made once they are asked for. */
function Details({ series }: { series: InstallationSeries }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All figures as a table</summary>
      {isOpen && <Figures series={series} />}
    </details>
  );
}

function Figures({ series: { samples, at } }: { series: InstallationSeries }) {
  const places = placesOf(at).filter((place) => place % ROW_MS === 0);
  const rows = byPlace(samples, places, ROW_MS);
  const lines = CHARTS.flatMap(({ title, format, lines }) => lines.map((line) => ({ ...line, title, format })));
  return (
    <div className="table-frame">
      <table aria-label="Figures of the last hour">
        <thead>
          <tr>
            <th scope="col">Figure</th>
            {places.map((place) => (
              <th scope="col" className="end" key={place}>
                {clock.format(place)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ title, name, format, valueOf }) => (
            <tr key={`${title} ${name}`}>
              <th scope="row">
                {title}: {name}
              </th>
              {rows.map((row, place) => {
                const value = valueOf(row);
                return (
                  <td className="end figures" key={places[place]}>
                    {value === null ? "–" : format(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
