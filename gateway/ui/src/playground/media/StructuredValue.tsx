import { CopyButton } from "../../components/CopyButton";
import { DataTable } from "./DataTable";
import { playFrom, useHasPlayer } from "./players";
import { clock, isSegments, type Segment, type Table } from "./structured";

/** Tables of documents, or the segments of a transcript. */
export function StructuredValue({ name, value }: { name: string; value: Table[] | Segment[] }) {
  if (isSegments(value)) return <Segments name={name} segments={value} />;
  return <Tables name={name} tables={value} />;
}

const MOST_TABLES = 20;

function Tables({ name, tables }: { name: string; tables: Table[] }) {
  return (
    <div className="with-copy">
      <div className="stack tight">
        {tables.slice(0, MOST_TABLES).map((rows, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tables have a place alone
          <div key={place}>
            {rows.length === 0 ? <p className="muted">An empty table</p> : <DataTable rows={rows} name={tables.length > 1 ? `${name}, table ${place + 1}` : name} />}
          </div>
        ))}
        {tables.length > MOST_TABLES && <p className="muted">and {tables.length - MOST_TABLES} more tables</p>}
      </div>
      <CopyButton text={JSON.stringify(tables, null, 2)} name="Copy the JSON" />
    </div>
  );
}

const MOST_SEGMENTS = 500;

function Segments({ name, segments }: { name: string; segments: Segment[] }) {
  const hasPlayer = useHasPlayer();
  const last = segments[segments.length - 1]?.end ?? 0;
  return (
    <div className="with-copy">
      <div className="data-frame" role="group" aria-label={`Rows of ${name}`} tabIndex={0}>
        <table className="data-table segments" aria-label={name}>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Text</th>
            </tr>
          </thead>
          <tbody>
            {segments.slice(0, MOST_SEGMENTS).map(({ start, end, text }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: segments have a place alone
              <tr key={place}>
                <td className="figures">
                  {hasPlayer ? (
                    <button type="button" className="as-link" aria-label={`Play from ${clock(start)}`} onClick={(event) => playFrom(event.currentTarget, start, last)}>
                      {clock(start)}
                    </button>
                  ) : (
                    clock(start)
                  )}
                </td>
                <td className="figures">{clock(end)}</td>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {segments.length > MOST_SEGMENTS && <p className="muted">and {segments.length - MOST_SEGMENTS} more</p>}
      </div>
      <CopyButton text={JSON.stringify(segments, null, 2)} name="Copy the JSON" />
    </div>
  );
}
