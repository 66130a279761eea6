import { usePages } from "../../api/pages";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { Moment } from "../RunTable";
import type { LedgerEntry } from "./types";

const WORDS: Record<string, string> = {
  reserve: "Reserved what the run may cost",
  capture: "Took a node's price from what is reserved",
  release: "Gave back what was left of it",
};

/** The movements of credits of the run. */
export function Ledger({ executionId }: { executionId: string }) {
  const { rows, error, reload, more } = usePages<LedgerEntry>(`/api/ledger?executionId=${executionId}`);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="8rem" />;
  if (rows.length === 0) return <p className="muted">No credits were moved: the run costs nothing.</p>;
  return (
    <div className="stack">
      <div className="table-frame">
        <table className="stacked" aria-label="Ledger">
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">At</th>
              <th scope="col" className="end">
                Credits
              </th>
              <th scope="col" className="end">
                Balance
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row" className="ledger-entry">
                  {row.kind} <span className="hint">{row.note ?? WORDS[row.kind]}</span>
                </th>
                <td className="muted small" data-label="At">
                  <Moment at={row.at} />
                </td>
                <td className="end figures" data-label="Credits">
                  {signed(row.credits)}
                </td>
                <td className="end figures" data-label="Balance">
                  {row.balance.toLocaleString("en")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more && <Button onClick={() => void more()}>Show more</Button>}
    </div>
  );
}

function signed(count: number): string {
  return `${count > 0 ? "+" : ""}${count.toLocaleString("en")}`;
}
