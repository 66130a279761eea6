import type { Approval } from "../api/approvals";
import { Ago } from "../components/Ago";
import { Link } from "../shell/router";
import { TimeLeft } from "./TimeLeft";
import { addressOf, keyOf, titleOf } from "./words";

/** Characters of a message in its row, which has one line for it. */
const MOST_SHOWN = 100;

/** The approvals that wait, each of which leads to its panel. */
export function ApprovalList({ rows, chosen }: { rows: Approval[]; chosen: string }) {
  return (
    <ul className="approval-list" aria-label="Approvals that wait">
      {rows.map((row) => (
        <li key={keyOf(row)}>
          <Link href={addressOf(row)} aria-current={keyOf(row) === chosen ? "true" : undefined}>
            <span className="approval-title">{titleOf(row)}</span>
            {row.message && <span className="approval-origin small">{row.message.slice(0, MOST_SHOWN)}</span>}
            <span className="row spread small muted">
              <span className="approval-origin">{row.workflowSlug ?? row.executionId.slice(0, 8)}</span>
              <Ago at={row.since} />
            </span>
            <span className="small muted">
              <TimeLeft until={row.until} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
