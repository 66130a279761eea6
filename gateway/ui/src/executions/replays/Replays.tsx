import { usePages } from "../../api/pages";
import { useRenewal } from "../../api/renewal";
import { againstInWords, type Replay, REPLAYS } from "../../api/replays";
import { Ago } from "../../components/Ago";
import { Empty, Failed, Loading, OlderRows } from "../../components/States";
import { StatusBadge } from "../../components/StatusBadge";
import { Link } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { countsInWords, ReplayBar } from "./ReplayCounts";
import "../execution/execution.css";
import "./replays.css";

const PAGE_ROWS = 50;

/** The account's replays, newest first. */
export default function Replays() {
  usePageTitle("Replays");
  return (
    <>
      <p className="back">
        <Link href="/app/executions">Executions</Link>
      </p>
      <div className="page-head">
        <div>
          <h1>Replays</h1>
          <p>Former runs against a draft or another version: which results would differ?</p>
        </div>
      </div>
      <List />
    </>
  );
}

function List() {
  const { rows, error, reload, more } = usePages<Replay>(`${REPLAYS}?limit=${PAGE_ROWS}`);
  useRenewal(`${REPLAYS}?`, rows?.some(({ status }) => status === "processing") ?? false);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  if (rows.length === 0) {
    return (
      <Empty title="No replay so far">
        <p>
          Open the tests of a workflow in its editor, or filter the executions by a workflow, and choose "Replay".{" "}
          <Link href="/app/executions">Executions</Link>
        </p>
      </Empty>
    );
  }
  return (
    <div className="stack">
      <div className="table-frame">
        <table className="stacked replays" aria-label="Replays">
          <thead>
            <tr>
              <th scope="col">Workflow</th>
              <th scope="col">Status</th>
              <th scope="col">Verdicts</th>
              <th scope="col">Calls</th>
              <th scope="col" className="end">
                Credits
              </th>
              <th scope="col">Created</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <ReplayLine key={row.replayId} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      <OlderRows error={error} more={more} />
    </div>
  );
}

function ReplayLine({ row }: { row: Replay }) {
  return (
    <tr>
      <th scope="row">
        <Link href={`/app/replays/${row.replayId}`}>{row.workflowSlug}</Link> <span className="muted small">against {againstInWords(row.against)}</span>{" "}
        <code className="muted">{row.replayId.slice(0, 8)}</code>
      </th>
      <td>
        <StatusBadge status={row.status} />
      </td>
      <td className="replay-share">
        <ReplayBar replay={row} label={`Verdicts of ${row.workflowSlug}, ${row.replayId.slice(0, 8)}`} />
        <span className="small figures">{countsInWords(row)}</span>
      </td>
      <td className="small" data-label="Calls">
        {row.calls}
      </td>
      <td className="end figures" data-label="Credits">
        {row.creditsCost.toLocaleString("en")}
      </td>
      <td className="muted small" data-label="Created">
        <Ago at={row.createdAt} />
      </td>
    </tr>
  );
}
