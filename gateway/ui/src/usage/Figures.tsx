import type { SeriesRow } from "../api/types";
import { duration } from "../components/Ago";
import { Link } from "../shell/router";
import type { Line } from "./series";

interface Props {
  lines: Line[];
  names: string[];
  tokens: string[];
  /** Address of the executions of a line, in a bucket or all of the time. */
  addressOf: (line: Line, at?: number) => string;
}

/** The sums of each line, and the legend of the charts' colours. */
export function Sums({ lines, names, tokens, addressOf }: Props) {
  return (
    <div className="table-frame">
      <table className="stacked sums" aria-label="Sums">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="end">
              Runs
            </th>
            <th scope="col" className="end">
              Failed
            </th>
            <th scope="col" className="end">
              Rate of failure
            </th>
            <th scope="col" className="end">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, place) => (
            <tr key={names[place]}>
              <th scope="row">
                <span className="swatch" style={{ background: `var(${tokens[place]})` }} aria-hidden="true" />{" "}
                <Link href={addressOf(line)}>{names[place]}</Link>
              </th>
              <td className="end figures" data-label="Runs">
                {line.runs.toLocaleString("en")}
              </td>
              <td className="end figures" data-label="Failed">
                {line.failed.toLocaleString("en")}
              </td>
              <td className="end figures" data-label="Rate of failure">
                {line.runs ? `${((line.failed / line.runs) * 100).toFixed(1)} %` : "–"}
              </td>
              <td className="end figures" data-label="Credits">
                {line.credits.toLocaleString("en")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hour12: false });
const MOST = 500;

/** Every figure of the charts in words. */
export function AllFigures({ lines, names, addressOf }: Props) {
  const rows = lines
    .flatMap((line, place) => [...line.rows].map(([at, row]): [number, SeriesRow, Line, string] => [at, row, line, names[place] as string]))
    .sort(([one], [other]) => other - one);
  return (
    <div className="stack">
      <div className="table-frame">
        <table aria-label="Figures by time">
          <thead>
            <tr>
              {["From", "Name", "Runs", "Failed", "Credits", "p50", "p95"].map((head, place) => (
                <th key={head} scope="col" className={place > 1 ? "end" : undefined}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map(([at, row, line, name]) => (
              <tr key={`${at} ${name}`}>
                <td className="figures small">
                  <Link href={addressOf(line, at)}>{moment.format(at)}</Link>
                </td>
                <th scope="row">{name}</th>
                {[row.runs, row.failed, row.credits].map((value, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: three columns
                  <td key={place} className="end figures">
                    {value.toLocaleString("en")}
                  </td>
                ))}
                <td className="end figures">{row.p50Ms === null ? "–" : duration(row.p50Ms)}</td>
                <td className="end figures">{row.p95Ms === null ? "–" : duration(row.p95Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST && <p className="muted small">The newest {MOST} of {rows.length.toLocaleString("en")} rows.</p>}
    </div>
  );
}
