import type { InstallationSeries } from "../api/types";
import { duration } from "../components/Ago";

const SHOWN = 8;
const count = (value: number): string => value.toLocaleString("en");
const time = (ms: number | null): string => (ms === null ? "–" : duration(ms));

/** The node types that took the most time, and the providers that were called, in the last hour. */
export function Busiest({ series: { nodeTypes, providers } }: { series: InstallationSeries }) {
  return (
    <div className="installation-parts">
      <NodeTypes nodeTypes={nodeTypes} />
      <Providers providers={providers} />
    </div>
  );
}

function NodeTypes({ nodeTypes }: { nodeTypes: InstallationSeries["nodeTypes"] }) {
  return (
    <section className="stack" aria-labelledby="node-types">
      <h3 id="node-types">Node types that took the most time</h3>
      {nodeTypes.length === 0 && <p className="muted">No node has run.</p>}
      {nodeTypes.length > 0 && (
        <div className="table-frame">
          <table className="stacked" aria-labelledby="node-types">
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col" className="end">
                  Ended
                </th>
                <th scope="col" className="end">
                  Failed
                </th>
                <th scope="col" className="end">
                  Median
                </th>
                <th scope="col" className="end">
                  95 of 100
                </th>
              </tr>
            </thead>
            <tbody>
              {nodeTypes.slice(0, SHOWN).map(({ type, completed, failed, p50Ms, p95Ms }) => (
                <tr key={type}>
                  <th scope="row">
                    <code>{type}</code>
                  </th>
                  <td className="end figures" data-label="Ended">
                    {count(completed + failed)}
                  </td>
                  <td className="end figures" data-label="Failed">
                    {count(failed)}
                  </td>
                  <td className="end figures" data-label="Median">
                    {time(p50Ms)}
                  </td>
                  <td className="end figures" data-label="95 of 100">
                    {time(p95Ms)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Providers({ providers }: { providers: InstallationSeries["providers"] }) {
  return (
    <section className="stack" aria-labelledby="providers">
      <h3 id="providers">Providers</h3>
      {providers.length === 0 && <p className="muted">No provider was called.</p>}
      {providers.length > 0 && (
        <div className="table-frame">
          <table className="stacked" aria-labelledby="providers">
            <thead>
              <tr>
                <th scope="col">Provider</th>
                <th scope="col" className="end">
                  Calls
                </th>
                <th scope="col" className="end">
                  Throttled
                </th>
                <th scope="col" className="end">
                  Failed
                </th>
                <th scope="col" className="end">
                  95 of 100
                </th>
              </tr>
            </thead>
            <tbody>
              {providers.slice(0, SHOWN).map(({ provider, calls, outcomes, p95Ms }) => {
                const { ok = 0, throttled = 0 } = outcomes;
                return (
                  <tr key={provider}>
                    <th scope="row">
                      <code>{provider}</code>
                    </th>
                    <td className="end figures" data-label="Calls">
                      {count(calls)}
                    </td>
                    <td className="end figures" data-label="Throttled">
                      {count(throttled)}
                    </td>
                    <td className="end figures" data-label="Failed">
                      {count(calls - ok - throttled)}
                    </td>
                    <td className="end figures" data-label="95 of 100">
                      {time(p95Ms)}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
