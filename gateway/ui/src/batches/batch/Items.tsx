import { useState } from "react";
import { type Batch, type BatchItem, batchPath, ITEM_STATUSES, type ItemStatus, sizeOf } from "../../api/batches";
import { useResource } from "../../api/resource";
import type { Page } from "../../api/types";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { StatusBadge } from "../../components/StatusBadge";
import { type LinkedAsset, mediaOf } from "../../playground/Result";
import { Link, useParameter } from "../../shell/router";
import { Downloads } from "./Downloads";

const PAGE_ROWS = 50;
const ALL = "all";

/** The items of a batch in order, all of them or those of one status, page by page. */
export function Items({ batch }: { batch: Batch }) {
  const [wanted, setWanted] = useParameter("status", ALL);
  const status = ITEM_STATUSES.find((each) => each === wanted);
  return (
    <section className="stack" aria-labelledby="items">
      <div className="row spread">
        <h2 id="items">Items</h2>
        <Downloads batch={batch} />
      </div>
      <fieldset className="status-filter items-filter">
        <legend className="hidden-visually">Status</legend>
        {[ALL, ...ITEM_STATUSES].map((each) => (
          <label key={each}>
            <input type="radio" name="item-status" checked={each === (status ?? ALL)} onChange={() => setWanted(each)} />
            {each}
            <span className="figures muted">{countOf(batch, each).toLocaleString("en")}</span>
          </label>
        ))}
      </fieldset>
      <ItemPages key={status ?? ALL} batch={batch} status={status} />
    </section>
  );
}

function countOf({ counts }: Batch, status: string): number {
  return status === ALL ? sizeOf(counts) : counts[status as ItemStatus];
}

function ItemPages({ batch, status }: { batch: Batch; status: ItemStatus | undefined }) {
  const [cursors, setCursors] = useState<string[]>([]);
  const query = new URLSearchParams({ limit: String(PAGE_ROWS) });
  if (status) query.set("status", status);
  const cursor = cursors.at(-1);
  if (cursor) query.set("cursor", cursor);
  const { data, error, reload } = useResource<Page<BatchItem>>(`${batchPath(batch.batchId)}/items?${query}`);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  const next = data.nextCursor;
  return (
    <>
      {data.rows.length === 0 && <p className="muted">No item has this status{cursors.length > 0 && " on this page any more"}.</p>}
      {data.rows.length > 0 && <ItemTable rows={data.rows} />}
      {(cursors.length > 0 || next !== null) && (
        <nav className="row item-pages" aria-label="Pages of items">
          <Button isCompact disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            Previous
          </Button>
          <span className="small muted figures" role="status">
            Page {cursors.length + 1}
          </span>
          <Button isCompact disabled={next === null} onClick={() => next !== null && setCursors([...cursors, next])}>
            Next
          </Button>
        </nav>
      )}
    </>
  );
}

function ItemTable({ rows }: { rows: BatchItem[] }) {
  return (
    <div className="table-frame">
      <table className="stacked items" aria-label="Items">
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col">Status</th>
            <th scope="col">Result</th>
            <th scope="col" className="end">
              Credits
            </th>
            <th scope="col">Execution</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.index}>
              <th scope="row" className="figures" data-label="Item">
                {row.index}
              </th>
              <td>
                <StatusBadge status={row.status} />
              </td>
              <td className="item-result">
                <Outcome row={row} />
              </td>
              <td className="end figures" data-label="Credits">
                {row.creditsCost.toLocaleString("en")}
              </td>
              <td>{row.executionId ? <ExecutionLink row={row} id={row.executionId} /> : <span className="muted">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ExecutionLink({ row, id }: { row: BatchItem; id: string }) {
  return (
    <Link href={`/app/executions/${id}`} aria-label={`Execution of item ${row.index}`}>
      <code>{id.slice(0, 8)}</code>
    </Link>
  );
}

const SHOWN_CHARACTERS = 300;

/** The error of an item in words, or the beginning of its result. */
function Outcome({ row: { error, result } }: { row: BatchItem }) {
  if (error) {
    return (
      <>
        <span className="fault">{error.message}</span> <code className="muted">{error.code}</code>
      </>
    );
  }
  if (result === null || result === undefined) return null;
  const media = mediaOf(result);
  if (media.length > 0) return <MediaLinks media={media} />;
  const text = typeof result === "string" ? result : JSON.stringify(result);
  return <span className="item-text">{text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text}</span>;
}

function MediaLinks({ media }: { media: LinkedAsset[] }) {
  return (
    <span className="row">
      {media.map(({ name, path }) => (
        <a key={path} href={path} target="_blank" rel="noreferrer">
          {name}
        </a>
      ))}
    </span>
  );
}
