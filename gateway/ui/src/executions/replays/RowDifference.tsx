import type { ReplayChange, ReplayRow } from "../../api/replays";
import { useResource } from "../../api/resource";
import type { ExecutionDetail } from "../../api/types";
import { Value } from "../../editor/difference/Value";
import { SocketMedium } from "../../editor/running/values/Media";
import { isMedium } from "../../editor/running/values/values";
import { Fold } from "../../editor/settings/Fold";
import { Result } from "../../playground/Result";
import { executionPath } from "../execution/state";
import "../../editor/difference/difference.css";
import "../../editor/running/values/values.css";
import "../../editor/settings/expression/expression.css";
import "../../playground/playground.css";

/** Differences between a run and its replay, by value and side by side, and both results as a whole. */
export function RowDifference({ row }: { row: ReplayRow }) {
  const { changes, node, verdict, hasMoreChanges, error } = row;
  return (
    <div className="stack">
      {node && (
        <p className="note warn">
          {node.id && <strong>{node.id}: </strong>}
          {node.reason ?? "nothing was recorded"}
        </p>
      )}
      {!node && verdict === "failed" && error && (
        <p className="note bad">
          {error.message} {error.code && <code>{error.code}</code>}
        </p>
      )}
      {changes.length > 0 && (
        <div className="side-by-side" role="table" aria-label="Differences by value">
          <div role="row" className="head">
            <span role="columnheader">Before</span>
            <span role="columnheader">After</span>
          </div>
          {changes.map((change) => (
            <Change key={change.path} change={change} />
          ))}
        </div>
      )}
      {hasMoreChanges && <p className="muted small">There are more differences; the whole results have them all.</p>}
      <Fold summary="Whole results" isOpenAtFirst={changes.length === 0 && !node}>
        <WholeResults row={row} />
      </Fold>
    </div>
  );
}

function Change({ change: { path, before, after } }: { change: ReplayChange }) {
  return (
    <div role="row" className="change">
      <code role="rowheader">{path}</code>
      <div role="cell" aria-label={`${path} before`}>
        <ChangedValue name={`${path} before`} value={before} other={after} />
      </div>
      <div role="cell" aria-label={`${path} after`}>
        <ChangedValue name={`${path} after`} value={after} other={before} />
      </div>
    </div>
  );
}

/** A medium as itself, any other value with the parts marked that differ. */
function ChangedValue({ name, value, other }: { name: string; value: unknown; other: unknown }) {
  if (isMedium(value, undefined)) return <SocketMedium url={value} name={name} />;
  return <Value value={value} other={other} />;
}

function WholeResults({ row: { executionId, replayExecutionId } }: { row: ReplayRow }) {
  return (
    <div className="two-results">
      <section aria-label="Result before">
        <h3>Before</h3>
        <WholeResult id={executionId} />
      </section>
      <section aria-label="Result after">
        <h3>After</h3>
        {replayExecutionId ? <WholeResult id={replayExecutionId} /> : <p className="muted">It could not begin.</p>}
      </section>
    </div>
  );
}

function WholeResult({ id }: { id: string }) {
  const { data, error } = useResource<ExecutionDetail>(executionPath(id));
  if (!data) return <p className={error ? "fault" : "muted"}>{error?.message ?? "Loading…"}</p>;
  if (data.error) return <p className="fault">{data.error.message}</p>;
  return data.result === null ? <p className="muted">The run gave nothing, or its result is not kept any more.</p> : <Result value={data.result} />;
}
