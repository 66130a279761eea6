import { CopyButton } from "../../components/CopyButton";
import { DataTable } from "./DataTable";
import { playFrom, useHasPlayer } from "./players";

/** A stretch of speech; times are in seconds. */
export interface Segment {
  start: number;
  end: number;
  text: string;
}

type Table = unknown[][];

function isCell(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

/** Whether a value is a list of tables, as documents give them: lists of rows with a word somewhere, unlike lists of vectors. */
export function isTables(value: unknown): value is Table[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const isTable = (each: unknown): boolean => Array.isArray(each) && each.every((row) => Array.isArray(row) && row.every(isCell));
  return value.every(isTable) && (value as Table[]).some((table) => table.some((row) => row.some((cell) => typeof cell === "string")));
}

export function isSegments(value: unknown): value is Segment[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every(
    (each) => each && typeof each === "object" && typeof each.start === "number" && typeof each.end === "number" && typeof each.text === "string",
  );
}

/** Whether a value has a form of its own here, other than a tree. */
export function isStructured(value: unknown): value is Table[] | Segment[] {
  return isTables(value) || isSegments(value);
}

/** Tables of documents, or the segments of a transcript. */
export function Structured({ name, value }: { name: string; value: Table[] | Segment[] }) {
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

const HOUR = 3_600;
const MINUTE = 60;

/** Seconds as a player shows them: "1:02:03.4", "0:07.5". */
export function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const [whole, tenth] = [Math.floor(tenths / 10), tenths % 10];
  const [hours, minutes, rest] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE), whole % MINUTE];
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(rest)}${tenth ? `.${tenth}` : ""}`;
}
