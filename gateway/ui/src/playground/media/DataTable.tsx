interface Props {
  rows: readonly unknown[][];
  name: string;
  /** Most rows that are shown below the head. */
  most?: number;
  /** A sentence on rows that are not here. */
  note?: string | undefined;
}

const MOST_ROWS = 100;
const MOST_COLUMNS = 50;

/** Rows of cells, the first of which is the head. The table scrolls in itself. */
export function DataTable({ rows, name, most = MOST_ROWS, note }: Props) {
  const [head = [], ...body] = rows;
  const width = Math.min(MOST_COLUMNS, Math.max(...rows.slice(0, most + 1).map((row) => row.length)));
  const columns = Array.from({ length: width }, (_, column) => column);
  const left = body.length - most;
  const notes = [left > 0 && `and ${left.toLocaleString("en")} more ${left === 1 ? "row" : "rows"}`, note].filter(Boolean);
  return (
    <>
      <div className="data-frame" role="group" aria-label={`Rows of ${name}`} tabIndex={0}>
        <table className="data-table" aria-label={name}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {cellText(head[column])}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.slice(0, most).map((row, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have a place alone
              <tr key={place}>
                {columns.map((column) => (
                  <td key={column} className={typeof row[column] === "number" ? "figures" : undefined}>
                    {cellText(row[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {notes.length > 0 && <p className="hint">{notes.join("; ")}</p>}
    </>
  );
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
