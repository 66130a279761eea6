import type { InstallationSeries } from "../api/types";
import { duration } from "../components/Ago";

const SHOWN = 8;
const count = (value: number): string => value.toLocaleString("en");
const time = (ms: number | null): string => (ms === null ? "–" : duration(ms));

interface Row {
  name: string;
  figures: string[];
}

interface Props {
  id: string;
  title: string;
  /** Sentence in the place of a table without rows. */
  empty: string;
  name: string;
  columns: string[];
  rows: Row[];
}

/** The node types that took the most time, and the providers that were called, in the last hour. */
export function Busiest({ series: { nodeTypes, providers } }: { series: InstallationSeries }) {
  return (
    <div className="installation-parts">
      <BusiestTable
        id="node-types"
        title="Node types that took the most time"
        empty="No node has run."
        name="Type"
        columns={["Ended", "Failed", "Median", "95 of 100"]}
        rows={nodeTypes.map(({ type, completed, failed, p50Ms, p95Ms }) => ({
          name: type,
          figures: [count(completed + failed), count(failed), time(p50Ms), time(p95Ms)],
        }))}
      />
      <BusiestTable
        id="providers"
        title="Providers"
        empty="No provider was called."
        name="Provider"
        columns={["Calls", "Throttled", "Failed", "95 of 100"]}
        rows={providers.map(({ provider, calls, outcomes: { ok = 0, throttled = 0 }, p95Ms }) => ({
          name: provider,
          figures: [count(calls), count(throttled), count(calls - ok - throttled), time(p95Ms)],
        }))}
      />
    </div>
  );
}

function BusiestTable({ id, title, empty, name, columns, rows }: Props) {
  return (
    <section className="stack" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {rows.length === 0 && <p className="muted">{empty}</p>}
      {rows.length > 0 && (
        <div className="table-frame">
          <table className="stacked" aria-labelledby={id}>
            <thead>
              <tr>
                <th scope="col">{name}</th>
                {columns.map((column) => (
                  <th key={column} scope="col" className="end">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, SHOWN).map((row) => (
                <tr key={row.name}>
                  <th scope="row">
                    <code>{row.name}</code>
                  </th>
                  {columns.map((column, place) => (
                    <td key={column} className="end figures" data-label={column}>
                      {row.figures[place]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
