import { useStore as useFlow } from "@xyflow/react";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import type { GraphNode } from "../../api/types";
import { credits, duration } from "../../components/Ago";
import { Clock } from "../../playground/RunPanel";
import type { NodeState } from "../../playground/runState";
import { useEditor } from "../document/store";
import { isPinned } from "./pins";
import { OutputPreview } from "./OutputPreview";
import "./running.css";
import { isLive, useNodeRun, useRunning, useRuns } from "./runs";
import { type NodeStatus, StatusIcon, statusOf, wordOf } from "./status";

/** Below this zoom, the sign of the state is all that can be seen. */
const FAR = 0.4;

/** The status of a node in the run that is shown; undefined without a run. */
function useNodeStatus(id: string): NodeStatus | undefined {
  const node = useNodeRun(id);
  return statusOf(node, useRunning(isLive));
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

/** How the run goes on at one node: its state, progress, text, time and cost, and what it gave. */
export function NodeRun({ node }: { node: GraphNode }) {
  const { id } = node;
  const runs = useRuns();
  const state = useNodeRun(id);
  const status = useNodeStatus(id);
  const pinned = useEditor(({ history }) => isPinned(history.present, id));
  const ranWith = useRunning((running) => running.ranWith?.get(id));
  const element = useStatusMark(status);
  const isFar = useFlow(({ transform }) => transform[2] < FAR);
  if (!status && !pinned) return <div ref={element} hidden />;
  const isChanged = status !== undefined && ranWith !== undefined && ranWith !== node.data;
  return (
    <div className="node-run" ref={element}>
      {/* With the keyboard, the settings of the node lead to its values. */}
      <button
        type="button"
        className={`node-run-line ${status ?? ""}`}
        tabIndex={-1}
        title="Show the values"
        onClick={() => runs.set({ inspected: id })}
      >
        {status && (
          <>
            <StatusIcon status={status} />
            <span className={isFar ? "hidden-visually" : undefined}>{wordOf(status)}</span>
          </>
        )}
        {pinned && !isFar && <span className="node-pin">Pinned</span>}
        {isChanged && !isFar && <span className="node-changed">Changed since</span>}
        {state?.attempts === 0 && !pinned && !isFar && status === "completed" && <span>Not run again</span>}
        {!isFar && <Figures id={id} status={status} state={state} />}
      </button>
      {state && !isFar && <Details state={state} />}
    </div>
  );
}

function Figures({ id, status, state }: { id: string; status: NodeStatus | undefined; state: NodeState | undefined }) {
  const estimate = useEditor(({ check }) => check.estimate.byNode[id] ?? 0);
  if (!state || !status) return null;
  if (status === "processing" || status === "retrying") {
    return (
      <span className="figures">
        <Clock since={state.startedAt ?? Date.now()} />
        {estimate > 0 && <span className="muted"> · up to {credits(estimate)}</span>}
      </span>
    );
  }
  if (state.attempts === 0) return null;
  return (
    <span className="figures muted">
      {typeof state.durationMs === "number" && duration(state.durationMs)}
      {state.creditsCost ? ` · ${credits(state.creditsCost)}` : ""}
      {(state.attempts ?? 1) > 1 && ` · ${state.attempts} attempts`}
    </span>
  );
}

function Details({ state }: { state: NodeState }) {
  if (state.status === "running") {
    const text = state.texts.filter(Boolean).join("\n\n");
    return (
      <>
        {state.progress !== undefined && <progress value={state.progress} aria-label={`Progress of ${state.id}`} />}
        {text && <Growing text={text} of={state.id} />}
      </>
    );
  }
  if (state.error) return <p className="node-error">{state.error.message}</p>;
  return state.outputs ? <OutputPreview id={state.id} type={state.type} outputs={state.outputs} /> : null;
}

/** A text that grows, of which the end is in sight. */
function Growing({ text, of }: { text: string; of: string }) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each piece of text moves the end
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <div className="node-text" role="log" aria-live="off" aria-label={`Text of ${of} so far`} ref={box}>
      {text}
    </div>
  );
}
