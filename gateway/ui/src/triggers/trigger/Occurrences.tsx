import { useState } from "react";
import { useResource } from "../../api/resource";
import { type Occurrence, OCCURRENCE_STATUSES, type Trigger, triggerPath } from "../../api/triggers";
import type { Page } from "../../api/types";
import { Ago, Moment } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { Link, useParameter } from "../../shell/router";
import { OccurrenceBadge } from "../OccurrenceBadge";
import { HERE } from "../schedule/zones";
import { momentIn, reasonOf, STATUS_HINTS } from "../words";
import { NextStep } from "./NextStep";

const PAGE_ROWS = 50;
const ALL = "all";

/** Occurrences of a trigger, newest first, all of them or those of one status, page by page. */
export function Occurrences({ trigger }: { trigger: Trigger }) {
  const [wanted, setWanted] = useParameter("status", ALL);
  // An event is there when it is received: none is missed.
  const statuses = OCCURRENCE_STATUSES.filter((each) => each !== "missed" || trigger.kind === "schedule");
  const status = statuses.find((each) => each === wanted);
  return (
    <section className="stack" aria-label="Occurrences">
      <fieldset className="status-filter">
        <legend className="hidden-visually">Status</legend>
        {[ALL, ...statuses].map((each) => (
          <label key={each}>
            <input type="radio" name="occurrence-status" checked={each === (status ?? ALL)} onChange={() => setWanted(each)} />
            {each}
          </label>
        ))}
      </fieldset>
      {status && <p className="muted small">{STATUS_HINTS[status]}</p>}
      <OccurrencePages key={status ?? ALL} trigger={trigger} status={status} />
    </section>
  );
}

function OccurrencePages({ trigger, status }: { trigger: Trigger; status: string | undefined }) {
  const [cursors, setCursors] = useState<string[]>([]);
  const query = new URLSearchParams({ limit: String(PAGE_ROWS) });
  if (status) query.set("status", status);
  const cursor = cursors.at(-1);
  if (cursor) query.set("cursor", cursor);
  const { data, error, reload } = useResource<Page<Occurrence>>(`${triggerPath(trigger.id)}/occurrences?${query}`);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  const next = data.nextCursor;
  return (
    <>
      {data.rows.length === 0 && <None trigger={trigger} status={status} isFirst={cursors.length === 0} />}
      {data.rows.length > 0 && <OccurrenceTable rows={data.rows} trigger={trigger} />}
      {(cursors.length > 0 || next !== null) && (
        <nav className="row occurrence-pages" aria-label="Pages of occurrences">
          <Button isCompact disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </Button>
          <span className="small muted figures" role="status">
            Page {cursors.length + 1}
          </span>
          <Button isCompact disabled={next === null} onClick={() => next !== null && setCursors([...cursors, next])}>
            Older
          </Button>
        </nav>
      )}
    </>
  );
}

function None({ trigger, status, isFirst }: { trigger: Trigger; status: string | undefined; isFirst: boolean }) {
  if (!isFirst) return <p className="muted">No older ones.</p>;
  if (status) return <p className="muted">No occurrence has this status.</p>;
  return (
    <p className="muted">
      None so far. {trigger.kind === "schedule" ? "Each due time is listed here, with its run or the reason that there is none." : "Each event that is received is listed here."}
    </p>
  );
}

function OccurrenceTable({ rows, trigger }: { rows: Occurrence[]; trigger: Trigger }) {
  const zone = trigger.kind === "schedule" && trigger.timezone !== HERE ? trigger.timezone : null;
  return (
    <div className="table-frame">
      <table className="stacked occurrences" aria-label="Occurrences">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Status</th>
            <th scope="col">Reason</th>
            <th scope="col">Execution</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={row.id}>
              <th scope="row" className="figures">
                <Moment at={row.at} />{" "}
                <span className="muted small">
                  (<Ago at={row.at} />)
                </span>
                {zone && <span className="muted small trigger-time">{momentIn(row.at, zone)}</span>}
              </th>
              <td>
                <OccurrenceBadge status={row.status} />
              </td>
              <td className="small occurrence-reason">
                {row.status !== "started" && reasonOf(row)} {row.reason && <code className="muted">{row.reason}</code>}{" "}
                <NextStep trigger={trigger} occurrence={row} isRepeated={rows[place - 1]?.status === row.status && rows[place - 1]?.reason === row.reason} />
              </td>
              <td data-label="Execution">{row.executionId ? <ExecutionLink id={row.executionId} /> : <span className="muted">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ExecutionLink({ id }: { id: string }) {
  return (
    <Link href={`/app/executions/${id}`} aria-label={`Execution ${id.slice(0, 8)}`}>
      <code>{id.slice(0, 8)}</code>
    </Link>
  );
}
