import { call } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import type { Attempt, Delivery, Page, Redelivery } from "../api/types";
import { Ago, duration } from "../components/Ago";
import { Button } from "../components/Button";
import { Empty } from "../components/States";
import { StatusBadge } from "../components/StatusBadge";
import { toast } from "../components/Toast";
import { Link } from "../shell/router";

/** Events that were sent, with each attempt and the next one. */
export function Deliveries({ path, hasWebhook }: { path: string; hasWebhook: boolean }) {
  const rows = useResource<Page<Delivery>>(`${path}/deliveries?limit=50`).data?.rows;
  const redeliver = async (row: Delivery): Promise<void> => {
    try {
      await call("POST", `${path}/deliveries/${row.id}/redeliver`);
      toast("The event is sent again");
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(`${path}/deliveries`);
  };
  const redeliverFailed = async (): Promise<void> => {
    const since = new Date(Date.now() - 5 * 86_400_000).toISOString();
    try {
      const body = { since, status: "failed" };
      const { redelivered } = await call<Redelivery>("POST", `${path}/redeliver`, body);
      toast(redelivered ? `${redelivered} failed events are sent again` : "Nothing has failed in five days");
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(`${path}/deliveries`);
  };
  if (!rows || (!hasWebhook && rows.length === 0)) return null;
  return (
    <section className="stack" aria-labelledby="deliveries">
      <div className="row spread">
        <h2 id="deliveries">Deliveries</h2>
        {rows.some((row) => row.status === "failed") && (
          <Button isCompact onClick={() => void redeliverFailed()}>
            Redeliver all that failed
          </Button>
        )}
      </div>
      {rows.length === 0 && (
        <Empty title="Nothing was sent yet">
          <p>"Send test" sends one event at once. A run with ?async=true sends one when it ends.</p>
        </Empty>
      )}
      <ul className="deliveries">
        {rows.map((row) => (
          <li key={row.id}>
            <details>
              <summary>
                <StatusBadge status={row.status} />
                <code>{row.event}</code>
                <span className="muted small">
                  <When row={row} />
                </span>
              </summary>
              <AttemptList attempts={row.attempts} />
              <div className="row spread">
                <code className="muted">{row.id}</code>
                {row.executionId && <Link href={`/app/executions/${row.executionId}?tab=deliveries`}>Its execution</Link>}
                <Button isCompact disabled={row.status === "pending"} onClick={() => void redeliver(row)}>
                  Redeliver
                </Button>
              </div>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The outcome of each attempt, and the beginning of the receiver's answer. */
export function AttemptList({ attempts }: { attempts: Attempt[] }) {
  return (
    <ol className="attempts">
      {attempts.map((each, place) => (
        <li key={each.at}>
          <span>Attempt {place + 1}</span>
          <span className={each.status && each.status < 300 ? "" : "fault"}>
            {each.status ?? "No answer"}
            {each.error && `: ${each.error}`}
          </span>
          <span className="muted small figures">
            <Ago at={each.at} />, {duration(each.durationMs)}
          </span>
          {each.body && <code>{each.body}</code>}
        </li>
      ))}
    </ol>
  );
}

function When({ row }: { row: Delivery }) {
  const last = row.attempts.at(-1);
  return (
    <>
      {last && <Ago at={last.at} />}
      {row.attempts.length > 1 && ` · ${row.attempts.length} attempts`}
      {row.nextAttemptAt && (
        <>
          {" · next "}
          <Ago at={row.nextAttemptAt} />
        </>
      )}
    </>
  );
}
