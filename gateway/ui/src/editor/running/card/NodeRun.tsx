import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import type { Waiting } from "../../../api/approvals";
import type { GraphNode } from "../../../api/types";
import { DECIDED } from "../../../approvals/words";
import { type Children, endedOf, inWords, isParent, nounOf } from "../../../children/children";
import { isAgent } from "../../../children/steps/steps";
import { credits, duration } from "../../../components/Ago";
import { Clock } from "../../../playground/RunPanel";
import type { NodeState } from "../../../playground/runState";
import { useEditor } from "../../document/store";
import { OutputPreview, ResultPreview } from "../values/OutputPreview";
import { isPinned } from "../values/pins";
import "../running.css";
import { isLive, useNodeRun, useNodeWait, useRunning, useRuns } from "../runs";
import { type NodeStatus, StatusIcon, statusOf, wordOf } from "../status";
import { ChildWaits } from "../waiting/ChildWaits";
import { decisionOf } from "../waiting/decision";
import { NodeWait, WaitFigures } from "../waiting/NodeWait";

/** The status of a node in the run that is shown; undefined without a run. */
function useNodeStatus(id: string): NodeStatus | undefined {
  const node = useNodeRun(id);
  return statusOf(node, useRunning(isLive), useNodeWait(id));
}

/** Carry a status as an attribute of the node's element, for styles and for assistants, without drawing the card anew. */
function useStatusMark(status: NodeStatus | undefined): RefObject<HTMLDivElement | null> {
  const inside = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = inside.current?.closest<HTMLElement>(".react-flow__node");
    if (element && status) element.dataset.status = status;
    else delete element?.dataset.status;
  }, [status]);
  return inside;
}

/** A strip inside the card, of one size in all states: the state, time and cost of a node, and the beginning of its output. */
export function NodeRun({ node }: { node: GraphNode }) {
  const { id } = node;
  const runs = useRuns();
  const state = useNodeRun(id);
  const status = useNodeStatus(id);
  const wait = useNodeWait(id);
  const pinned = useEditor(({ history }) => isPinned(history.present, id));
  const ranWith = useRunning((running) => running.ranWith?.get(id));
  const element = useStatusMark(status);
  if (!status && !pinned) return <div ref={element} hidden />;
  const isChanged = status !== undefined && ranWith !== undefined && ranWith !== node.data;
  return (
    <div className="node-run" ref={element}>
      {/* It covers the strip. With the keyboard, the settings of the node lead to its values. */}
      <button
        type="button"
        className={`node-run-line ${status ?? ""}`}
        tabIndex={-1}
        title="Show the values"
        onClick={() => runs.set({ inspected: id })}
      >
        {status && <StatusIcon status={status} />}
        {pinned && <span className="node-pin">Pinned</span>}
        {isChanged && <span className="node-changed">Changed since</span>}
        {status && <Facts id={id} status={status} state={state} wait={wait} isMarked={pinned || isChanged} />}
      </button>
      {state && isParent(state) && status === "processing" && <ChildWaits id={id} />}
      {state && (wait && isWait(status) ? <NodeWait wait={wait} /> : <Details state={state} />)}
    </div>
  );
}

function isWait(status: NodeStatus | undefined): boolean {
  return status === "waiting" || status === "asks";
}

interface FactsProps {
  id: string;
  status: NodeStatus;
  state: NodeState | undefined;
  wait: Waiting | undefined;
  /** Whether a mark stands in the place of the word. */
  isMarked: boolean;
}

/** The status in a word, and the figures. Where there are figures, the sign and its colour stand for the word. */
function Facts({ id, status, state, wait, isMarked }: FactsProps) {
  const estimate = useEditor(({ check }) => check.estimate.byNode[id] ?? 0);
  const figures = state ? figuresOf(status, state, estimate) : null;
  const isRunAgain = state?.attempts !== 0;
  const decision = state && decisionOf(state);
  if (isWait(status)) {
    return (
      <>
        <span>{status === "asks" ? "Asks" : wordOf(status)}</span>
        {wait && <WaitFigures wait={wait} />}
      </>
    );
  }
  return (
    <>
      {decision && !isMarked ? (
        <span className={decision === DECIDED.refuse ? "node-refused" : undefined}>{decision}</span>
      ) : (
        <span className={figures || isMarked || !isRunAgain ? "hidden-visually" : undefined}>{wordOf(status)}</span>
      )}
      {!isRunAgain && !isMarked && status === "completed" && <span className="muted">Not run again</span>}
      {figures && <span className="figures muted">{figures}</span>}
    </>
  );
}

function figuresOf(status: NodeStatus, state: NodeState, estimate: number) {
  if (status === "processing" || status === "retrying") {
    return (
      <>
        <Clock since={state.startedAt ?? Date.now()} />
        {estimate > 0 && ` · up to ${credits(estimate)}`}
      </>
    );
  }
  if (state.attempts === 0 || typeof state.durationMs !== "number") return null;
  const cost = state.creditsCost ? ` · ${credits(state.creditsCost)}` : "";
  const items = (state.children?.count ?? 0) > 1 && state.children ? ` · ${inWords(state.children, nounOf(state))}` : "";
  const attempts = (state.attempts ?? 1) > 1 ? ` · ${state.attempts} attempts` : "";
  return `${duration(state.durationMs)}${cost}${attempts}${items}`;
}

function Details({ state }: { state: NodeState }) {
  const { children } = state;
  if (children && children.count > 1 && state.status !== "completed" && !isAgent(state)) return <Items id={state.id} found={children} />;
  if (state.status === "running") {
    const text = state.texts.filter(Boolean).join("\n\n");
    return (
      <>
        {state.progress !== undefined && <progress value={state.progress} aria-label={`Progress of ${state.id}`} />}
        {text && <Growing text={text} of={state.id} />}
      </>
    );
  }
  if (state.error) return <p className="node-text node-error">{state.error.message}</p>;
  if (state.type === "responseOutput") return <ResultPreview />;
  return state.outputs ? <OutputPreview id={state.id} type={state.type} outputs={state.outputs} /> : null;
}

/** The items of a node, of which so many have ended. */
function Items({ id, found }: { id: string; found: Children }) {
  const ended = endedOf(found);
  return (
    <>
      {ended < found.count && <progress value={ended} max={found.count} aria-label={`Progress of ${id}`} />}
      <p className={found.statuses?.failed ? "node-text node-error" : "node-text"}>{inWords(found)}</p>
    </>
  );
}

/** A text that grows, of which the end is in sight. */
function Growing({ text, of }: { text: string; of: string }) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each piece of text moves the end
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <div className="node-text growing" role="log" aria-live="off" aria-label={`Text of ${of} so far`} ref={box}>
      {text}
    </div>
  );
}
