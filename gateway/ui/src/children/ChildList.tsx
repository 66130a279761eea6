import { useState } from "react";
import type { ExecutionNode, ExecutionRow } from "../api/types";
import { credits, duration } from "../components/Ago";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { StatusBadge } from "../components/StatusBadge";
import { Link } from "../shell/router";
import { type Children, type ChildStatuses, childListPath, childName, endedOf, inWords, isCall } from "./children";
import { useChildPages } from "./useChildPages";
import "./children.css";

const STATUSES: [keyof ChildStatuses, string][] = [
  ["failed", "Failed"],
  ["processing", "Processing"],
  ["completed", "Completed"],
  ["cancelled", "Cancelled"],
];

interface Props {
  parentId: string;
  node: Pick<ExecutionNode, "id" | "type">;
  found: Children;
  /** Show a child here; without it, each leads to its own page. */
  onOpen?: (child: ExecutionRow) => void;
}

/** The children of a node: numbers by status, and a list page by page, at first of those that failed. */
export function ChildList({ parentId, node, found, onOpen }: Props) {
  const isOnly = isCall(node);
  const { statuses } = found;
  const [chosen, choose] = useState<string>();
  const status = chosen ?? (statuses?.failed ? "failed" : "");
  const { rows, error, reload, more } = useChildPages(childListPath(parentId, node.id, status), found);
  const ended = endedOf(found);
  const begun = ended + (statuses?.processing ?? 0);
  return (
    <section className="stack tight children" aria-label="Items">
      <div className="row spread">
        <h3>{isOnly ? "The called workflow" : inWords(found)}</h3>
        <div className="row" role="group" aria-label="Items with the status" hidden={isOnly}>
          <Choice label="All" count={begun} isChosen={status === ""} onChoose={() => choose("")} />
          {STATUSES.map(([name, label]) => {
            const count = statuses?.[name] ?? 0;
            if (count === 0) return null;
            return <Choice key={name} label={label} count={count} isChosen={status === name} onChoose={() => choose(name)} />;
          })}
        </div>
      </div>
      {ended < found.count && <progress max={found.count} value={ended} aria-label={`Progress of ${node.id}`} />}
      {!rows && (error ? <Failed error={error} retry={reload} /> : <Loading height="6rem" />)}
      {rows?.length === 0 && <p className="muted small">{status ? "None of them." : "None has begun so far."}</p>}
      {rows && rows.length > 0 && (
        <ul className="child-list">
          {rows.map((child) => (
            <Child key={child.executionId} child={child} name={childName(child, isOnly)} onOpen={onOpen} />
          ))}
        </ul>
      )}
      {more && (
        <div className="row">
          <Button isCompact onClick={() => void more()}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

function Choice({ label, count, isChosen, onChoose }: { label: string; count: number; isChosen: boolean; onChoose: () => void }) {
  return (
    <Button isCompact look="quiet" aria-pressed={isChosen} onClick={onChoose}>
      {label} {count.toLocaleString("en")}
    </Button>
  );
}

function Child({ child, name, onOpen }: { child: ExecutionRow; name: string; onOpen: Props["onOpen"] }) {
  const { executionId, status, error, durationMs, creditsCost } = child;
  return (
    <li data-status={status}>
      {onOpen ? (
        <button type="button" className="as-link" onClick={() => onOpen(child)}>
          {name}
        </button>
      ) : (
        <Link href={`/app/executions/${executionId}`}>{name}</Link>
      )}
      <StatusBadge status={status} />
      <span className="child-error">
        {error && (
          <>
            {error.nodeId && <strong>{error.nodeId}: </strong>}
            {error.message}
          </>
        )}
      </span>
      <span className="muted figures small">
        {durationMs !== null && duration(durationMs)}
        {creditsCost > 0 && ` · ${credits(creditsCost)}`}
      </span>
    </li>
  );
}
