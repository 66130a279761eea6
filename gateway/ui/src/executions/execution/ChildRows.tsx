import type { ExecutionNode, ExecutionRow } from "../../api/types";
import { type Children, childListPath, childName, isCall } from "../../children/children";
import { isAgent, nameOfChild, useSteps } from "../../children/steps/steps";
import { useChildPages } from "../../children/useChildPages";
import { duration } from "../../components/Ago";
import { Button } from "../../components/Button";
import { StatusBadge } from "../../components/StatusBadge";
import { Link } from "../../shell/router";
import { placeOf, type Scale } from "./scale";

interface Props {
  node: ExecutionNode;
  executionId: string;
  found: Children;
  scale: Scale;
  /** Ids of executions that wait for a person or a time. */
  waiting: ReadonlySet<string | undefined>;
}

/** The children of a node in time, page by page: rows of the waterfall that lead to their own pages. */
export function ChildRows({ node, executionId, found, scale, waiting }: Props) {
  const { rows, error, more } = useChildPages(childListPath(executionId, node.id, "", 20), found);
  const steps = useSteps(isAgent(node) ? executionId : null, node.id, rows);
  const nameOf = (child: ExecutionRow): string => (isAgent(node) ? nameOfChild(steps, child.executionId) : childName(child, isCall(node)));
  return (
    <>
      {rows?.map((child) => (
        <ChildRow key={child.executionId} child={child} name={nameOf(child)} scale={scale} isWaiting={waiting.has(child.executionId)} />
      ))}
      {error && (
        <tr className="child-row">
          <td colSpan={4} className="fault">
            {error.message}
          </td>
        </tr>
      )}
      {more && (
        <tr className="child-row">
          <td colSpan={4}>
            <Button isCompact look="quiet" onClick={() => void more()}>
              Show more of {node.id}
            </Button>
          </td>
        </tr>
      )}
    </>
  );
}

interface RowProps {
  child: ExecutionRow;
  name: string;
  scale: Scale;
  isWaiting: boolean;
}

function ChildRow({ child, name, scale, isWaiting }: RowProps) {
  const { executionId, status, durationMs, creditsCost, startedAt, completedAt } = child;
  const from = Math.max(0, Date.parse(startedAt ?? child.createdAt) - scale.begin);
  const to = completedAt ? Date.parse(completedAt) - scale.begin : scale.length;
  const kind = status === "failed" ? "failed" : completedAt ? "ran" : isWaiting ? "waiting" : "running";
  // A child that a retry has kept ran before this execution began.
  const isKept = completedAt !== null && to < 0;
  const left = placeOf(from, scale);
  return (
    <tr className="child-row" data-status={status}>
      <th scope="row">
        <Link href={`/app/executions/${executionId}`}>
          <span className="waterfall-name">{name}</span>
          <StatusBadge status={isWaiting && !completedAt ? "waiting" : status} />
        </Link>
      </th>
      <td className="timeline">
        <span className={isKept ? "no-bar muted small" : "hidden-visually"}>
          {isKept ? "taken from the run before" : durationMs === null ? (isWaiting ? "waits" : "is running") : `ran ${duration(durationMs)}`}
        </span>
        {!isKept && (
          <span
            className={`bar ${kind}`}
            aria-hidden="true"
            style={{ left: `${left}%`, width: `${Math.max(0, placeOf(to, scale) - left)}%` }}
          />
        )}
      </td>
      <td className="end figures small">{durationMs === null ? "" : duration(durationMs)}</td>
      <td className="end figures small">{creditsCost ? creditsCost.toLocaleString("en") : ""}</td>
    </tr>
  );
}
