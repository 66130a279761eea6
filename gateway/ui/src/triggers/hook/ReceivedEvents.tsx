import { get } from "../../api/client";
import { useResource } from "../../api/resource";
import { type Hook, type Occurrence, triggerPath } from "../../api/triggers";
import type { Page } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Loading } from "../../components/States";
import { toast } from "../../components/Toast";
import { Link } from "../../shell/router";
import { OccurrenceBadge } from "../OccurrenceBadge";
import { reasonOf } from "../words";
import type { SampleEvent } from "./sample";

const SHOWN = 5;

/** An occurrence with the event that it is about; both are null once the event is no longer kept. */
interface ReceivedEvent extends Occurrence {
  body: unknown;
  headers: Record<string, string> | null;
}

interface Props {
  trigger: Hook;
  onUse: (sample: SampleEvent) => void;
}

/** The last received events with their outcome; each can become the sample. */
export function ReceivedEvents({ trigger, onUse }: Props) {
  const path = `${triggerPath(trigger.id)}/occurrences`;
  const { data, error } = useResource<Page<Occurrence>>(`${path}?limit=${SHOWN}`);
  const take = async (id: string): Promise<void> => {
    try {
      const { body, headers } = await get<ReceivedEvent>(`${path}/${id}`);
      if (body === null && headers === null) return toast("This event is not kept any more");
      onUse({ body, headers: headers ?? {}, query: {}, method: "POST" });
      toast("The event is the sample now");
    } catch (error) {
      toast((error as Error).message);
    }
  };
  return (
    <section className="stack tight" aria-label="Last received events">
      <h3>Last received events</h3>
      {!data && (error ? <p className="fault">{error.message}</p> : <Loading height="3rem" />)}
      {data?.rows.length === 0 && <p className="hint">None so far. An event that fails verification is answered 401 and is not listed.</p>}
      {data && data.rows.length > 0 && (
        <ul className="received-events">
          {data.rows.map((row) => (
            <li key={row.id}>
              <Outcome occurrence={row} />
              <Button isCompact onClick={() => void take(row.id)}>
                Use as sample
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Outcome({ occurrence }: { occurrence: Occurrence }) {
  const { at, status, executionId } = occurrence;
  return (
    <span>
      <OccurrenceBadge status={status} /> <Ago at={at} />{" "}
      {executionId ? (
        <Link href={`/app/executions/${executionId}`}>
          run <code>{executionId.slice(0, 8)}</code>
        </Link>
      ) : (
        <span className="muted">{reasonOf(occurrence)}</span>
      )}
    </span>
  );
}
