import { usePages } from "../api/pages";
import type { LedgerEntry } from "../api/types";
import { Moment } from "../components/Ago";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { Link } from "../shell/router";
import "./ledger.css";

/** Kinds of movements, as people say them. */
export const KINDS: Record<string, string> = {
  allowance: "Allowance of the month",
  "top-up": "Credits were added",
  tier: "The tier has changed",
  lapse: "Unspent credits lapsed",
  reserve: "Reserved what a run may cost",
  capture: "Took a node's price from what was reserved",
  release: "Gave back what a run did not cost",
};

interface Props {
  path: string;
  none: string;
  /** Whether each movement leads to its execution. */
  hasLinks?: boolean;
}

/** Movements of credits, newest first. */
export function LedgerTable({ path, none, hasLinks }: Props) {
  const { rows, error, reload, more } = usePages<LedgerEntry>(path);
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="8rem" />;
  if (rows.length === 0 && !more) return <p className="muted">{none}</p>;
  return (
    <div className="stack">
      <div className="table-frame">
        <table className="stacked ledger" aria-label="Ledger">
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">At</th>
              {hasLinks && <th scope="col">Execution</th>}
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
              <Entry key={row.id} row={row} hasLinks={hasLinks} />
            ))}
          </tbody>
        </table>
      </div>
      {error && (
        <p className="fault" role="alert">
          {error.message}
        </p>
      )}
      {more && <Button onClick={() => void more()}>Show more</Button>}
    </div>
  );
}

function Entry({ row, hasLinks }: { row: LedgerEntry; hasLinks: boolean | undefined }) {
  const { executionId: id } = row;
  return (
    <tr>
      <th scope="row" className="ledger-entry">
        {row.kind} <span className="hint">{row.note ?? KINDS[row.kind]}</span>
      </th>
      <td className="muted small">
        <Moment at={row.at} />
      </td>
      {hasLinks && (
        <td>
          {id ? (
            <Link href={`/app/executions/${id}?tab=ledger`} title={id}>
              <code>{id.slice(0, 8)}</code>
            </Link>
          ) : (
            <span className="muted">–</span>
          )}
        </td>
      )}
      <td className="end figures ledger-credits">
        {signed(row.credits)}
      </td>
      <td className="end figures" data-label="Balance">
        {row.balance.toLocaleString("en")}
      </td>
    </tr>
  );
}

function signed(count: number): string {
  return `${count > 0 ? "+" : ""}${count.toLocaleString("en")}`;
}
