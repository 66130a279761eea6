import type { GraphProblem } from "../../api/types";
import { inWords, nounOf } from "../../children/children";
import { credits, duration } from "../../components/Ago";
import { Button } from "../../components/Button";
import { StatusBadge } from "../../components/StatusBadge";
import { Result } from "../../playground/Result";
import { Clock } from "../../playground/RunPanel";
import { type NodeState, openWaits, type RunState } from "../../playground/runState";
import { setParameters } from "../../shell/router";
import { placeOf } from "../bodies/body";
import { openGraph, useOpenPath } from "../bodies/open";
import { useDocument, useStore } from "../document/store";
import { useReveal } from "./reveal";
import { isLive, useRunning, useRuns } from "./runs";
import { StatusIcon, statusOf, wordOf } from "./status";
import { decisionOf } from "./waiting/decision";
import { OpenWaits } from "./waiting/OpenWaits";

/** The run as a whole: its state, its nodes, its failure by name, and its result. */
export function Outcome() {
  const runs = useRuns();
  const running = useRunning((each) => each);
  const { run, isSaving } = running;
  if (isSaving) return <p className="muted">Saving the draft…</p>;
  if (!run) return null;
  const { execution, status } = run;
  return (
    <section className="stack outcome" aria-label="Result" aria-busy={isLive(running)} ref={inSight}>
      <div className="row spread">
        <span className="row">
          <StatusBadge status={status === "starting" ? "processing" : status} />
          {openWaits(run).length > 0 && <StatusBadge status="waiting" />}
          {execution && (
            <span className="muted figures">
              {execution.durationMs !== null && `${duration(execution.durationMs)} · `}
              {credits(execution.creditsCost)}
            </span>
          )}
          {isLive(running) && <Clock since={run.startedAt} />}
        </span>
        {isLive(running) ? (
          <Button isCompact disabled={!run.executionId || status === "cancel_requested"} onClick={() => runs.cancel()}>
            Cancel
          </Button>
        ) : (
          <Button isCompact look="quiet" onClick={() => runs.clear()}>
            Clear
          </Button>
        )}
      </div>
      <OpenWaits run={run} />
      <Failure run={run} />
      {execution && execution.result !== null && <Result value={execution.result} />}
      {status === "completed" && execution?.result === null && <p className="muted">The run gave nothing.</p>}
      {execution && !execution.parentId && <AddAsTest executionId={execution.executionId} />}
      <Nodes nodes={run.nodes} />
    </section>
  );
}

/** The way to a test with the inputs of this run. */
function AddAsTest({ executionId }: { executionId: string }) {
  const store = useStore();
  const open = (): void => {
    setParameters({ testFrom: executionId });
    store.root.set({ panel: "tests" });
  };
  return (
    <div className="row">
      <Button isCompact onClick={open}>
        Add as a test
      </Button>
    </div>
  );
}

/** Bring the outcome into sight when a run begins: it stands below the form. */
function inSight(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

/** Why the run was refused or has failed, with the way to the place. */
function Failure({ run: { error, execution } }: { run: RunState }) {
  const reveal = useReveal();
  const failed = error ?? execution?.error;
  if (!failed) return null;
  const { nodeId } = execution?.error ?? {};
  const problems = Array.isArray(error?.details.problems) ? (error.details.problems as GraphProblem[]) : [];
  return (
    <div className="note bad">
      <p>
        {nodeId && <strong>{nodeId}: </strong>}
        {failed.message}
      </p>
      {failed.code && <code>{failed.code}</code>}
      {nodeId && (
        <Button isCompact onClick={() => reveal(nodeId)}>
          Show the node
        </Button>
      )}
      {problems.length > 0 && <Problems problems={problems} />}
    </div>
  );
}

function Problems({ problems }: { problems: GraphProblem[] }) {
  const document = useDocument();
  const reveal = useReveal();
  const lead = (problem: GraphProblem): void => {
    const { graph, id } = placeOf(document, problem);
    if (id === undefined) openGraph(graph);
    else reveal(id, problem.field, graph);
  };
  return (
    <ul className="run-problems">
      {problems.map((problem, place) => (
        <li key={`${problem.nodeId} ${problem.edgeId} ${place}`}>
          {problem.nodeId || problem.edgeId ? (
            <button type="button" className="as-link" onClick={() => lead(problem)}>
              {problem.nodeId && <strong>{(problem.path ?? [problem.nodeId]).join(" › ")}: </strong>}
              {problem.reason}
            </button>
          ) : (
            problem.reason
          )}
        </li>
      ))}
    </ul>
  );
}

function Nodes({ nodes }: { nodes: NodeState[] }) {
  const runs = useRuns();
  const isInside = useOpenPath().length > 0;
  const inspect = (id: string): void => {
    if (isInside) openGraph([]);
    runs.set({ inspected: id });
  };
  if (nodes.length === 0) return null;
  return (
    <details className="run-nodes" open={nodes.length <= 12}>
      <summary>{nodes.length === 1 ? "1 node" : `${nodes.length} nodes`}</summary>
      <ol>
        {nodes.map((node) => {
          const status = statusOf(node, true) ?? "pending";
          return (
            <li key={node.id}>
              <button type="button" onClick={() => inspect(node.id)} title="Show the node's values">
                <StatusIcon status={status} />
                <span className="run-node-name">{node.id}</span>
                <span className="muted figures">
                  {decisionOf(node) ? `${decisionOf(node)} · ` : ""}
                  {status === "completed" && typeof node.durationMs === "number" ? duration(node.durationMs) : wordOf(status)}
                  {node.creditsCost ? ` · ${credits(node.creditsCost)}` : ""}
                  {node.children && ` · ${inWords(node.children, nounOf(node))}`}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </details>
  );
}
