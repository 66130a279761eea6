import { useEffect } from "react";
import { useResource } from "../api/resource";
import type { HistoryState, InstallationState, QueueState, WorkerState } from "../api/types";
import { Ago, duration } from "../components/Ago";
import { Fact } from "../components/Fact";
import { Failed, Loading } from "../components/States";
import { LastHour } from "./LastHour";

const RENEW_MS = 5_000;
const MEANING: Record<string, string> = {
  memory: "New runs may be refused. Give Redis more memory, or shorten retention.",
  hints: "Start a worker, or look at the logs of those that run. Where all their slots are taken, start more.",
  history: "Nothing is lost: what has ended waits in Redis. What only the history holds cannot be shown.",
};
const QUEUES: Record<QueueState["name"], string> = {
  walk: "Executions",
  bulk: "Executions of accounts with many at once",
  deliver: "Deliveries of webhooks",
};

/** Workers, queues, memory and the history, and the parts that are degraded. */
export function Installation() {
  const { data, error, reload } = useResource<InstallationState>("/api/admin/installation");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading />;
  return (
    <div className="stack installation">
      {error && (
        <p className="note warn" role="alert">
          {error.message} This is the state from <Ago at={data.at} />.
        </p>
      )}
      <Degraded state={data} />
      <LastHour />
      <Workers workers={data.workers} at={data.at} />
      <Queues state={data} />
      <div className="installation-parts">
        <History history={data.history} />
        <Memory state={data} />
      </div>
      <p className="hint">
        For programs: <a href="/readyz">/readyz</a> and <a href="/metrics">/metrics</a>. On the machine,{" "}
        <code>headrace doctor</code> examines everything and says what to do.
      </p>
    </div>
  );
}

function Degraded({ state: { degraded, workers } }: { state: InstallationState }) {
  const isWithout = !workers.some((worker) => worker.alive);
  if (degraded.length === 0 && !isWithout) return <p className="note good">All parts of this installation work as they should.</p>;
  return (
    <>
      {isWithout && (
        <div className="note bad">
          <h2>No worker is alive</h2>
          <p>Runs are accepted and wait until one is started.</p>
        </div>
      )}
      {degraded.map(({ name, reason }) => (
        <div className="note warn" key={name}>
          <h2>Degraded: {name}</h2>
          <p>{reason}.</p>
          <p className="small">{MEANING[name]}</p>
        </div>
      ))}
    </>
  );
}

function Workers({ workers, at }: { workers: WorkerState[]; at: string }) {
  return (
    <section className="stack" aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      {workers.length === 0 && <p className="muted">None has a lease.</p>}
      {workers.length > 0 && (
        <div className="table-frame">
          <table className="stacked" aria-labelledby="workers">
            <thead>
              <tr>
                <th scope="col">Worker</th>
                <th scope="col">State</th>
                <th scope="col" className="end">
                  Executions
                </th>
                <th scope="col" className="end">
                  Memory of their data
                </th>
                <th scope="col" className="end">
                  Lease
                </th>
              </tr>
            </thead>
            <tbody>
              {workers.map((worker) => (
                <tr key={worker.id}>
                  <th scope="row">
                    <code>{worker.id}</code>
                  </th>
                  <td data-label="State">
                    <span className={`badge status ${worker.alive ? "good" : "bad"}`}>{worker.alive ? "alive" : "gone"}</span>
                  </td>
                  <td className="end figures" data-label="Executions">
                    {worker.executions.toLocaleString("en")}
                  </td>
                  <td className="end figures" data-label="Memory of their data">
                    {share(worker.memoryBytes, worker.memoryLimitBytes)}
                  </td>
                  <td className="end figures small muted" data-label="Lease">
                    {worker.alive ? `${duration(Date.parse(worker.leaseEndsAt) - Date.parse(at))} left` : "ended"}
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

function Queues({ state: { queues, executionsDue, deliveriesDue } }: { state: InstallationState }) {
  return (
    <section className="stack" aria-labelledby="queues">
      <h2 id="queues">Queues</h2>
      <div className="table-frame">
        <table className="stacked" aria-labelledby="queues">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              <th scope="col" className="end">
                Waiting
              </th>
              <th scope="col" className="end">
                Oldest
              </th>
            </tr>
          </thead>
          <tbody>
            {queues.map(({ name, waiting, oldestAt }) => (
              <tr key={name}>
                <th scope="row">
                  {QUEUES[name]} <code className="muted">{name}</code>
                </th>
                <td className="end figures" data-label="Waiting">
                  {waiting.toLocaleString("en")}
                </td>
                <td className="end small muted" data-label="Oldest">
                  {oldestAt ? <Ago at={oldestAt} /> : "–"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint">
        {executionsDue.toLocaleString("en")} executions have a next step that is scheduled, {deliveriesDue.toLocaleString("en")} deliveries a
        next attempt.
      </p>
    </section>
  );
}

function History({ history }: { history: HistoryState }) {
  const { configured, archivedUntil, behindSeconds, problem } = history;
  return (
    <section className="panel stack" aria-labelledby="history">
      <h2 id="history">History</h2>
      {!configured && <p className="muted">There is no database: what has ended is kept in Redis alone.</p>}
      {problem && <p className="fault">{problem}</p>}
      {configured && (
        <dl className="facts">
          <Fact name="Archived up to">{archivedUntil ? <Ago at={archivedUntil} /> : "not known"}</Fact>
          <Fact name="Behind by">{duration(behindSeconds * 1_000)}</Fact>
          <Fact name="Waiting executions">{history.waitingExecutions.toLocaleString("en")}</Fact>
          <Fact name="Waiting deliveries">{history.waitingDeliveries.toLocaleString("en")}</Fact>
          {history.refused > 0 && <Fact name="Cannot be archived">{history.refused.toLocaleString("en")}</Fact>}
        </dl>
      )}
    </section>
  );
}

function Memory({ state: { redis, gateways } }: { state: InstallationState }) {
  return (
    <section className="panel stack" aria-labelledby="processes">
      <h2 id="processes">Redis and gateways</h2>
      <dl className="facts">
        <Fact name="Memory of Redis">{share(redis.usedBytes, redis.limitBytes)}</Fact>
        <Fact name="Gateways">
          {gateways.map((name) => (
            <code key={name} className="gateway">
              {name.replace("gateway-", "")}
            </code>
          ))}
          {gateways.length === 0 && "none has told of itself yet"}
        </Fact>
      </dl>
    </section>
  );
}

const MEGABYTE = 1_048_576;

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toLocaleString("en", { maximumFractionDigits: bytes < 10 * MEGABYTE ? 1 : 0 })} MB`;
}

/** Bytes, and those that there may be. */
function share(used: number | null, limit: number | null): string {
  if (used === null) return "–";
  return limit ? `${megabytes(used)} of ${megabytes(limit)}` : megabytes(used);
}
