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
import { canBeTried, eventOf, NOT_KEPT, trialOf } from "./events";
import type { SampleEvent } from "./sample";

const SHOWN = 5;

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
      const event = await eventOf(trigger.id, id);
      if (!event) return toast(NOT_KEPT);
      onUse(event);
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
              <Outcome trigger={trigger} occurrence={row} />
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

function Outcome({ trigger, occurrence }: { trigger: Hook; occurrence: Occurrence }) {
  const { id, at, status, executionId } = occurrence;
  return (
    <span>
      <OccurrenceBadge status={status} /> <Ago at={at} />{" "}
      {executionId ? (
        <Link href={`/app/executions/${executionId}`}>
          run <code>{executionId.slice(0, 8)}</code>
        </Link>
      ) : (
        <span className="muted">{reasonOf(occurrence)}</span>
      )}{" "}
      {canBeTried(occurrence) && <Link href={trialOf(trigger.id, id)}>Try this event</Link>}
    </span>
  );
}
