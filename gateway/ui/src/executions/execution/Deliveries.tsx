import { call } from "../../api/client";
import { invalidate, useResource } from "../../api/resource";
import type { Delivery, ExecutionDetail } from "../../api/types";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { StatusBadge } from "../../components/StatusBadge";
import { toast } from "../../components/Toast";
import { AttemptList } from "../../dashboard/Deliveries";
import { Link } from "../../shell/router";
import { isLive } from "./state";
import "../../dashboard/dashboard.css";

/** Deliveries of the end to webhooks, attempt by attempt. */
export function Deliveries({ execution }: { execution: ExecutionDetail }) {
  const { deliveries, keyId } = execution;
  if (deliveries.length === 0) {
    if (isLive(execution)) return <p className="muted">They are sent when the run has ended.</p>;
    return (
      <p className="muted">
        {keyId ? "Nothing was sent: the caller waited for the result, or the key has no webhook." : "Nothing was sent: no key began it."}{" "}
        <Link href="/app/api/keys?tab=webhook">Webhooks</Link>
      </p>
    );
  }
  return (
    <ul className="deliveries">
      {deliveries.map(({ id, keyId: key }) => (
        <li key={id}>
          <OneDelivery id={id} keyId={key} />
        </li>
      ))}
    </ul>
  );
}

function OneDelivery({ id, keyId }: { id: string; keyId: string | null }) {
  const path = `/api/deliveries/${id}`;
  const { data, error, reload } = useResource<Delivery>(path);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="6rem" />;
  const redeliver = async (): Promise<void> => {
    try {
      await call("POST", `/api/deliveries/${id}/redeliver`);
      toast("The event is sent again");
    } catch (refused) {
      toast((refused as Error).message);
    }
    invalidate(path);
  };
  return (
    <section className="stack delivery" aria-label={`Delivery ${id}`}>
      <div className="row spread">
        <span className="row">
          <StatusBadge status={data.status} />
          <code>{data.event}</code>
          <code className="muted">{id}</code>
        </span>
        <span className="row">
          {keyId && (
            <Link className="button quiet compact" href={`/app/api/keys?tab=webhook&key=${keyId}`}>
              Webhook
            </Link>
          )}
          <Button isCompact disabled={data.status === "pending"} onClick={() => void redeliver()}>
            Redeliver
          </Button>
        </span>
      </div>
      {data.attempts.length === 0 && <p className="muted small">Not sent yet.</p>}
      <AttemptList attempts={data.attempts} />
    </section>
  );
}
