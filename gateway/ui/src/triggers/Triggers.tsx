import { useRenewal } from "../api/renewal";
import { useResource } from "../api/resource";
import { type Trigger, TRIGGER_LIST, TRIGGERS, type TriggerKind } from "../api/triggers";
import type { Page } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { Link, setParameters, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { NewTrigger } from "./NewTrigger";
import { TriggerFilters, useTriggerFilters } from "./TriggerFilters";
import { TriggerTable } from "./TriggerTable";
import { KINDS } from "./words";
import "./triggers.css";

const RENEW_MS = 5_000;

/** The account's triggers, or the form of a new one where the address names a kind. */
export default function Triggers() {
  const [kind] = useParameter("new", "");
  if (kind in KINDS) return <NewTrigger key={kind} kind={kind as TriggerKind} />;
  return <AllTriggers />;
}

function AllTriggers() {
  usePageTitle("Triggers");
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Triggers</h1>
          <p>A trigger starts a workflow by itself: at set times, or for each request that another service sends.</p>
        </div>
        <div className="row">
          <Link className="button primary" href="/app/triggers?new=schedule">
            New schedule
          </Link>
          <Link className="button" href="/app/triggers?new=webhook">
            New inbound webhook
          </Link>
        </div>
      </div>
      <List />
    </>
  );
}

function List() {
  const { data, error, reload } = useResource<Page<Trigger>>(TRIGGER_LIST);
  useRenewal(TRIGGERS, data !== undefined && data.rows.length > 0, RENEW_MS);
  const filters = useTriggerFilters();
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  if (data.rows.length === 0) return <NoTriggers />;
  const shown = data.rows.filter(filters.fits);
  return (
    <div className="stack">
      <TriggerFilters triggers={data.rows} />
      <p className="muted small" role="status">
        {shown.length === data.rows.length ? countOf(data.rows) : `${shown.length} of ${countOf(data.rows)}`}
      </p>
      {shown.length === 0 ? (
        <Empty title="No trigger matches">
          <Button onClick={() => setParameters({ q: "", workflow: "", kind: "", state: "" })}>Show all triggers</Button>
        </Empty>
      ) : (
        <TriggerTable rows={shown} />
      )}
      {error && (
        <p className="fault" role="alert">
          {error.message}
        </p>
      )}
    </div>
  );
}

function countOf(triggers: Trigger[]): string {
  return triggers.length === 1 ? "1 trigger" : `${triggers.length} triggers`;
}

function NoTriggers() {
  return (
    <Empty title="No trigger so far">
      <p>
        A <strong>schedule</strong> runs a workflow every hour, each weekday at nine, or at any other times. An{" "}
        <strong>inbound webhook</strong> runs it for each event that GitHub, Stripe, Slack or a program of yours sends.
      </p>
      <div className="row">
        <Link className="button" href="/app/triggers?new=schedule">
          Run a workflow on a schedule
        </Link>
        <Link className="button" href="/app/triggers?new=webhook">
          Run it for events
        </Link>
      </div>
    </Empty>
  );
}
