import { useEffect, useState } from "react";
import { credits, duration } from "../components/Ago";
import { Button } from "../components/Button";
import { StepList } from "../children/steps/StepList";
import { isAgent, useSteps } from "../children/steps/steps";
import { StatusBadge } from "../components/StatusBadge";
import { Link } from "../shell/router";
import { Result } from "./Result";
import { Waits } from "./Waits";
import type { NodeState, RunState } from "./runState";

const LIVE = new Set(["starting", "processing", "cancel_requested"]);

export function isLive(state: RunState | null): boolean {
  return state !== null && LIVE.has(state.status);
}

/** The run beside the form: its progress and its result. */
export function RunPanel({ state, onCancel }: { state: RunState | null; onCancel: () => void }) {
  if (!state) {
    return (
      <div className="nothing-yet">
        <p>The result appears here.</p>
      </div>
    );
  }
  const { execution, error, status } = state;
  return (
    <div className="stack" aria-busy={isLive(state)}>
      <div className="row spread" role="status">
        <span className="row">
          <StatusBadge status={status === "starting" ? "processing" : status} />
          {execution && (
            <span className="muted figures">
              {execution.durationMs !== null && `${duration(execution.durationMs)} · `}
              {credits(execution.creditsCost)}
            </span>
          )}
          {isLive(state) && <Clock since={state.startedAt} />}
          {state.executionId && (
            <Link className="small" href={`/app/executions/${state.executionId}`}>
              Its execution
            </Link>
          )}
        </span>
        {isLive(state) && state.executionId && (
          <Button isCompact onClick={onCancel}>
            Cancel
          </Button>
        )}
      </div>
      {isLive(state) && <Waits run={state} />}
      {isLive(state) && <Nodes nodes={state.nodes} />}
      {state.nodes.filter(isAgent).map((node) => (
        <Steps key={node.id} run={state} node={node} />
      ))}
      {error && <Refusal message={error.message} code={error.code} />}
      {execution?.error && <Refusal message={execution.error.message} code={execution.error.code} />}
      {execution && execution.result !== null && <Result value={execution.result} />}
      {execution?.status === "completed" && execution.result === null && (
        <p className="muted">The run gave nothing, or its result is not kept any more.</p>
      )}
    </div>
  );
}

/** The steps of an agent as they come; folded away once the run has ended. */
function Steps({ run, node }: { run: RunState; node: NodeState }) {
  const mark = JSON.stringify([node.childEvents, node.status, run.status, run.waits?.length]);
  const steps = useSteps(run.executionId ?? null, node.id, mark);
  if (!steps?.length) return null;
  if (isLive(run)) return <StepList steps={steps} hasHeading={false} />;
  return (
    <details>
      <summary>Steps of {node.id}</summary>
      <StepList steps={steps} hasHeading={false} />
    </details>
  );
}

function Refusal({ message, code }: { message: string; code: string }) {
  return (
    <div className="note bad" role="alert">
      <p>{message}</p>
      {code && <code>{code}</code>}
    </div>
  );
}

/** Time since a moment, as it passes. */
export function Clock({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="muted figures" aria-hidden="true">
      {now - since < 120_000 ? `${(Math.max(0, now - since) / 1_000).toFixed(1)} s` : duration(now - since)}
    </span>
  );
}

function Nodes({ nodes }: { nodes: NodeState[] }) {
  const texts = nodes.findLast((node) => node.texts.length > 0)?.texts ?? [];
  return (
    <>
      <ol className="steps">
        {nodes.map((node) => (
          <li key={node.id} data-status={node.status}>
            <span>{node.id}</span>
            {node.progress !== undefined && node.status === "running" ? (
              <progress value={node.progress} aria-label={`Progress of ${node.id}`} />
            ) : (
              <span className="muted small">{node.status}</span>
            )}
          </li>
        ))}
      </ol>
      {texts.length > 0 && (
        <div className="stream" role="log" aria-label="Text so far">
          {texts.filter(Boolean).join("\n\n")}
        </div>
      )}
    </>
  );
}
