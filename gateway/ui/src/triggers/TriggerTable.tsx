import type { Trigger } from "../api/triggers";
import { Ago } from "../components/Ago";
import { Link } from "../shell/router";
import { EnabledSwitch } from "./EnabledSwitch";
import { OccurrenceBadge } from "./OccurrenceBadge";
import { timesOf, Until } from "./When";
import { KINDS, reasonOf } from "./words";

/** Triggers with their switch, their next time and their last occurrence. */
export function TriggerTable({ rows }: { rows: Trigger[] }) {
  return (
    <div className="table-frame">
      <table className="stacked triggers" aria-label="Triggers">
        <thead>
          <tr>
            <th scope="col">Trigger</th>
            <th scope="col">Workflow</th>
            <th scope="col">Starts</th>
            <th scope="col">Next</th>
            <th scope="col">Last occurrence</th>
            <th scope="col">Enabled</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((trigger) => (
            <Row key={trigger.id} trigger={trigger} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ trigger }: { trigger: Trigger }) {
  const { id, name, workflowSlug, version } = trigger;
  return (
    <tr>
      <th scope="row">
        <Link href={`/app/triggers/${id}`}>{name}</Link>
        <span className="muted small">{KINDS[trigger.kind]}</span>
      </th>
      <td data-label="Workflow">
        <Link href={`/app/editor/${workflowSlug}`}>{workflowSlug}</Link>
        {version !== undefined && <span className="muted small"> v{version}</span>}
      </td>
      <td className="small">
        {timesOf(trigger)}
        {trigger.kind === "schedule" && <span className="muted"> ({trigger.timezone})</span>}
      </td>
      <td className="small figures" data-label="Next">
        <Next trigger={trigger} />
      </td>
      <td className="small" data-label="Last occurrence">
        <Last trigger={trigger} />
      </td>
      <td className="trigger-switch" data-label="Enabled">
        <EnabledSwitch trigger={trigger} />
      </td>
    </tr>
  );
}

function Next({ trigger }: { trigger: Trigger }) {
  if (!trigger.enabled) return <span className="badge warn">Paused</span>;
  if (trigger.kind === "webhook") return <span className="muted">–</span>;
  if (trigger.nextAt === null) return <span className="muted">never again</span>;
  return <Until at={trigger.nextAt} timeZone={trigger.timezone} />;
}

function Last({ trigger: { id, lastOccurrence: last } }: { trigger: Trigger }) {
  if (!last) return <span className="muted">none yet</span>;
  return (
    <span className="trigger-last">
      <OccurrenceBadge status={last.status} />{" "}
      <Link href={last.executionId ? `/app/executions/${last.executionId}` : `/app/triggers/${id}?status=${last.status}`}>
        <Ago at={last.at} />
      </Link>
      {last.status === "failed" && <span className="fault">{reasonOf(last)}</span>}
    </span>
  );
}
