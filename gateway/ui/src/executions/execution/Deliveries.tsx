import { call } from "../../api/client";
import { usePages } from "../../api/pages";
import { invalidate } from "../../api/resource";
import type { Delivery, ExecutionDetail } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Failed, Loading, OlderRows } from "../../components/States";
import { StatusBadge } from "../../components/StatusBadge";
import { toast } from "../../components/Toast";
import { AttemptList } from "../../dashboard/Deliveries";
import { Link } from "../../shell/router";
import { isLive } from "./state";
import "../../dashboard/dashboard.css";

const DELIVERIES = "/api/deliveries";

/** Deliveries of the run's events to webhooks, attempt by attempt. */
export function Deliveries({ execution }: { execution: ExecutionDetail }) {
  const { rows, error, reload, more } = usePages<Delivery>(`${DELIVERIES}?executionId=${execution.executionId}&limit=50`);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="6rem" />;
  if (rows.length === 0) return <Nothing execution={execution} />;
  return (
    <div className="stack">
      <ul className="deliveries">
        {rows.map((row) => (
          <li key={row.id}>
            <OneDelivery row={row} />
          </li>
        ))}
      </ul>
      <OlderRows error={error} more={more} />
    </div>
  );
}

function Nothing({ execution }: { execution: ExecutionDetail }) {
  if (isLive(execution)) return <p className="muted">Nothing was sent so far; the end is sent when the run has ended.</p>;
  return (
    <p className="muted">
      {execution.keyId
        ? "Nothing was sent: the caller waited for the result, or neither the call nor its key has a webhook."
        : "Nothing was sent: no key began it, and it was given no webhook of its own."}{" "}
      <Link href="/app/api/keys?tab=webhook">Webhooks</Link>
    </p>
  );
}

function OneDelivery({ row }: { row: Delivery }) {
  const redeliver = async (): Promise<void> => {
    try {
      await call("POST", `${DELIVERIES}/${row.id}/redeliver`);
      toast("The event is sent again");
    } catch (refused) {
      toast((refused as Error).message);
    }
    invalidate(DELIVERIES);
  };
  const { attempts, nextAttemptAt } = row;
  return (
    <section className="stack delivery" aria-label={`Delivery ${row.id}, ${row.event}`}>
      <div className="row spread">
        <span className="row">
          <StatusBadge status={row.status} />
          <code>{row.event}</code>
          <code className="muted">{row.id}</code>
        </span>
        <span className="row">
          {row.keyId ? (
            <Link className="button quiet compact" href={`/app/api/keys?tab=webhook&key=${row.keyId}`}>
              Webhook of the key
            </Link>
          ) : (
            <span className="muted small">Webhook of the run</span>
          )}
          <Button isCompact disabled={row.status === "pending"} onClick={() => void redeliver()}>
            Redeliver
          </Button>
        </span>
      </div>
      <p className="muted small delivery-place">
        <span>To {row.url}</span>
        {attempts.length === 0 && <span>Not sent yet.</span>}
        {nextAttemptAt && (
          <span>
            Next attempt <Ago at={nextAttemptAt} />
          </span>
        )}
      </p>
      <AttemptList attempts={attempts} />
    </section>
  );
}
