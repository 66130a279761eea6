import { useRenewal } from "../api/renewal";
import { useResource } from "../api/resource";
import { type Trigger, TRIGGER_LIST } from "../api/triggers";
import type { Page } from "../api/types";
import { Ago } from "../components/Ago";
import { Link } from "../shell/router";
import { OccurrenceBadge } from "./OccurrenceBadge";
import { timesOf } from "./When";
import { reasonOf } from "./words";
import "./triggers.css";

const RENEW_MS = 5_000;

/** The triggers of one workflow, and the ways to a new one. */
export default function WorkflowTriggers({ slug }: { slug: string }) {
  const { data, error } = useResource<Page<Trigger>>(TRIGGER_LIST);
  useRenewal(TRIGGER_LIST, data !== undefined, RENEW_MS);
  const own = data?.rows.filter((each) => each.workflowSlug === slug) ?? [];
  return (
    <>
      {error && !data && <p className="fault">{error.message}</p>}
      {data && own.length === 0 && <p className="hint">Nothing starts this workflow by itself.</p>}
      {own.length > 0 && (
        <ul className="workflow-triggers" aria-label="Triggers of this workflow">
          {own.map((each) => (
            <Row key={each.id} trigger={each} />
          ))}
        </ul>
      )}
      <ul className="links">
        <li>
          <Link href={newTrigger("schedule", slug)}>Run it on a schedule</Link>
        </li>
        <li>
          <Link href={newTrigger("webhook", slug)}>Start it from GitHub, Stripe, Slack or anything</Link>
        </li>
      </ul>
    </>
  );
}

function Row({ trigger }: { trigger: Trigger }) {
  const { id, name, enabled, lastOccurrence: last } = trigger;
  return (
    <li>
      <div className="row spread">
        <Link href={`/app/triggers/${id}`}>{name}</Link>
        {!enabled && <span className="badge warn">Paused</span>}
      </div>
      <span className="hint">{timesOf(trigger)}</span>
      <span className="small trigger-last">
        {last ? (
          <>
            <OccurrenceBadge status={last.status} /> <Ago at={last.at} />
            {last.status === "failed" && <span className="fault">{reasonOf(last)}</span>}
          </>
        ) : (
          <span className="muted">no occurrence yet</span>
        )}
      </span>
    </li>
  );
}

function newTrigger(kind: Trigger["kind"], slug: string): string {
  return `/app/triggers?${new URLSearchParams({ new: kind, workflow: slug })}`;
}
