import { type Batch, BATCHES, endedOf, isLiveBatch, sizeOf } from "../api/batches";
import { usePages } from "../api/pages";
import { Ago, timeBetween } from "../components/Ago";
import { Empty, Failed, Loading, OlderRows } from "../components/States";
import { StatusBadge } from "../components/StatusBadge";
import { TagList } from "../components/TagList";
import { Link } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { BatchProgress } from "./BatchProgress";
import { useRenewal } from "../api/renewal";
import "./batches.css";

const PAGE_ROWS = 50;

/** The account's batches, newest first. */
export default function Batches() {
  usePageTitle("Batches");
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Batches</h1>
          <p>Many runs of one workflow under one handle. "Run many" in a playground begins one.</p>
        </div>
      </div>
      <List />
    </>
  );
}

function List() {
  const { rows, error, reload, more } = usePages<Batch>(`${BATCHES}?limit=${PAGE_ROWS}`);
  useRenewal(`${BATCHES}?`, rows?.some(isLiveBatch) ?? false);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  if (rows.length === 0) {
    return (
      <Empty title="No batch so far">
        <p>
          Open the playground of a workflow and choose "Run many": a table of rows or a CSV file becomes one batch.{" "}
          <Link href="/">Workflows</Link>
        </p>
      </Empty>
    );
  }
  return (
    <div className="stack">
      <BatchTable rows={rows} />
      <OlderRows error={error} more={more} className="batch-more" />
    </div>
  );
}

function BatchTable({ rows }: { rows: Batch[] }) {
  return (
    <div className="table-frame">
      <table className="stacked batches" aria-label="Batches">
        <thead>
          <tr>
            <th scope="col">Workflow</th>
            <th scope="col">Status</th>
            <th scope="col">Progress</th>
            <th scope="col">Tags</th>
            <th scope="col" className="end">
              Credits
            </th>
            <th scope="col">Created</th>
            <th scope="col" className="end">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <BatchRow key={row.batchId} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BatchRow({ row }: { row: Batch }) {
  const { counts, workflowSlug: slug, workflowVersion: version } = row;
  return (
    <tr>
      <th scope="row">
        <Link href={`/app/batches/${row.batchId}`}>{slug}</Link>
        {version !== null && <span className="muted small"> v{version}</span>} <code className="muted">{row.batchId.slice(0, 8)}</code>
      </th>
      <td>
        <StatusBadge status={row.status} />
      </td>
      <td className="batch-share">
        <BatchProgress counts={counts} label={`Progress of ${slug}, ${row.batchId.slice(0, 8)}`} />
        <span className="small figures">
          {endedOf(counts).toLocaleString("en")} of {sizeOf(counts).toLocaleString("en")}
          {counts.failed > 0 && <span className="fault">, {counts.failed.toLocaleString("en")} failed</span>}
        </span>
      </td>
      <td>{row.tags.length > 0 && <TagList tags={row.tags} />}</td>
      <td className="end figures" data-label="Credits">
        {row.creditsCost.toLocaleString("en")}
      </td>
      <td className="muted small" data-label="Created">
        <Ago at={row.createdAt} />
      </td>
      <td className="end figures small" data-label="Time">
        {row.completedAt ? timeBetween(row.createdAt, row.completedAt) : "–"}
      </td>
    </tr>
  );
}
