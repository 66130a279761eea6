import type { ExecutionRow } from "../../api/types";
import { credits, Moment } from "../../components/Ago";
import { Button } from "../../components/Button";
import { StatusBadge } from "../../components/StatusBadge";
import { versionOf } from "../RunTable";

interface Props {
  rows: ExecutionRow[];
  chosen: ReadonlySet<string>;
  onChoose: (ids: ReadonlySet<string>) => void;
}

/** Runs with a check box each. */
export function CandidateList({ rows, chosen, onChoose }: Props) {
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };
  if (rows.length === 0) return <p className="hint">No run of this list can be replayed: only runs of published versions that have ended can.</p>;
  return (
    <>
      <div className="row">
        <Button isCompact look="quiet" onClick={() => onChoose(new Set(rows.map((row) => row.executionId)))}>
          All {rows.length}
        </Button>
        <Button isCompact look="quiet" disabled={chosen.size === 0} onClick={() => onChoose(new Set())}>
          None
        </Button>
        <span className="hint figures">{chosen.size} chosen</span>
      </div>
      <ul className="candidates" aria-label="Runs to choose from" tabIndex={0}>
        {rows.map((row) => (
          <li key={row.executionId}>
            <label>
              <input type="checkbox" checked={chosen.has(row.executionId)} onChange={() => toggle(row.executionId)} />
              <StatusBadge status={row.status} />
              <span className="small figures">
                <Moment at={row.createdAt} />
              </span>
              <span className="muted small">
                {versionOf(row) !== null && `v${versionOf(row)} · `}
                {credits(row.creditsCost)}
              </span>
              <code className="muted small">{row.executionId.slice(0, 8)}</code>
            </label>
          </li>
        ))}
      </ul>
    </>
  );
}
