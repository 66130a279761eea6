import { useResource } from "../../api/resource";
import { type Occurrence, type Trigger, TRIGGER_LIST, triggerPath } from "../../api/triggers";
import type { ExecutionDetail, Page } from "../../api/types";
import { Moment } from "../../components/Ago";
import { Link } from "../../shell/router";

/** The trigger that started an execution, and the time or the event that it answered to. */
export function StartedBy({ execution: { triggerId, occurrenceId } }: { execution: ExecutionDetail }) {
  const list = useResource<Page<Trigger>>(TRIGGER_LIST).data;
  const trigger = list?.rows.find((each) => each.id === triggerId);
  const occurrence = useResource<Occurrence>(trigger && occurrenceId ? `${triggerPath(trigger.id)}/occurrences/${occurrenceId}` : null).data;
  if (!trigger) return list ? "A trigger that was deleted" : <code>{triggerId}</code>;
  return (
    <>
      <Link href={`/app/triggers/${trigger.id}`}>{trigger.name}</Link>
      {occurrence && (
        <span className="muted">
          , {trigger.kind === "schedule" ? "due" : "event of"} <Moment at={occurrence.at} />
        </span>
      )}
    </>
  );
}
