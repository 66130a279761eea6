import { type ComponentProps, Fragment, useEffect, useState } from "react";
import { waitingOf } from "../../api/approvals";
import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionNode, NodeValues } from "../../api/types";
import { childrenOf, inWords as inWordsOf, isCall, nounOf } from "../../children/children";
import { credits, duration } from "../../components/Ago";
import { StatusBadge } from "../../components/StatusBadge";
import { valuesPath } from "../../editor/running/values/values";
import { ChildRows } from "./ChildRows";
import { isWait, placeOf, type Scale, type Stretch, scaleOf, ticksOf } from "./scale";
import { isLive } from "./state";
import { type Bar, barsOf, inOrder, statusOf, turnOf, waitOf, workOf } from "./timeline";
import { lastBefore, useGraph } from "./useGraph";

/** Of more nodes than these, only those with retries show their attempts: each costs a call. */
const MOST_DETAILED = 60;

/** Of more children than these, only their number is shown at first. */
const SHOWN_AT_ONCE = 10;

type ChildRowsProps = ComponentProps<typeof ChildRows>;

const LEGEND: [Bar["kind"], string][] = [
  ["waited", "Waited for a node"],
  ["queued", "Waited for its turn"],
  ["ran", "Ran"],
  ["failed", "Failed"],
  ["pause", "Pause before a retry"],
  ["waiting", "Waited for a person or a time"],
];

interface Props {
  execution: ExecutionDetail;
  chosen: string | undefined;
  onChoose: (nodeId: string) => void;
}

/** Each node's wait and work as bars over time; a table, so that it reads as well without seeing them. */
export function Waterfall({ execution, chosen, onChoose }: Props) {
  const scale = scaleOf(execution, useNow(isLive(execution)));
  const graph = useGraph(execution);
  const waiting = new Set(waitingOf(execution).map((each) => each.executionId));
  const rows = { executionId: execution.executionId, scale, waiting };
  const ran = execution.nodes.filter((node) => node.startedAt !== null && node.attempts > 0).length;
  return (
    <div className="waterfall-frame">
      <table className="waterfall" aria-label="Nodes in time">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col" className="timeline-head">
              <span className="hidden-visually">In time</span>
              <Axis scale={scale} />
            </th>
            <th scope="col" className="end">
              Time
            </th>
            <th scope="col" className="end">
              Credits
            </th>
          </tr>
        </thead>
        <tbody>
          {inOrder(execution.nodes.filter((node) => node.type !== "note")).map((node) => {
            const found = childrenOf(node);
            return (
              <Fragment key={node.id}>
                <NodeRow
                  node={node}
                  executionId={execution.executionId}
                  isDetailed={node.attempts > 0 && (ran <= MOST_DETAILED || node.attempts > 1)}
                  before={lastBefore(node.id, graph, execution.nodes)?.id}
                  scale={scale}
                  isChosen={node.id === chosen}
                  onChoose={onChoose}
                />
                {found && !isCall(node) && <Items {...rows} node={node} found={found} />}
                {found && isCall(node) && <ChildRows {...rows} node={node} found={found} />}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      <p className="legend small muted" aria-hidden="true">
        {LEGEND.filter(([kind]) => kind !== "waiting" || waiting.size > 0 || execution.nodes.some(isWait)).map(([kind, word]) => (
          <span key={kind}>
            <span className={`bar ${kind}`} /> {word}
          </span>
        ))}
      </p>
    </div>
  );
}

/** A row that shows and hides the children of a node; few are shown at once. */
function Items(props: ChildRowsProps) {
  const { node, found } = props;
  const [isOpen, setOpen] = useState(found.count <= SHOWN_AT_ONCE);
  return (
    <>
      <tr className="child-row child-fold">
        <th scope="row" colSpan={4}>
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <span className="muted small">
              {node.id}: {inWordsOf(found, nounOf(node))}
            </span>
          </button>
        </th>
      </tr>
      {isOpen && <ChildRows {...props} />}
    </>
  );
}

/** The clock, while something goes on. */
function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}

function Axis({ scale }: { scale: Scale }) {
  return (
    <span className="axis" aria-hidden="true">
      {ticksOf(scale).filter(({ isLabelled }) => isLabelled).map(({ at, ms, isAfterCut }) => (
        <span key={at} style={{ left: `${at}%` }}>
          {isAfterCut && "+"}
          {duration(ms)}
        </span>
      ))}
      {scale.cuts.map((cut) => (
        <span key={cut.from} className="cut" style={styleOf(cut, scale)} title={`${duration(cut.to - cut.from)}, drawn shorter: the run only waited`}>
          {duration(cut.to - cut.from)}
        </span>
      ))}
    </span>
  );
}

/** Where a stretch of time stands on the axis. */
function styleOf({ from, to }: Stretch, scale: Scale): { left: string; width: string } {
  const left = placeOf(from, scale);
  return { left: `${left}%`, width: `${Math.max(0, placeOf(to, scale) - left)}%` };
}

interface RowProps {
  node: ExecutionNode;
  executionId: string;
  isDetailed: boolean;
  /** The node for which it waited. */
  before: string | undefined;
  scale: Scale;
  isChosen: boolean;
  onChoose: (nodeId: string) => void;
}

function NodeRow({ node, executionId, isDetailed, before, scale, isChosen, onChoose }: RowProps) {
  const { data: values, reload } = useResource<NodeValues>(isDetailed ? valuesPath(executionId, node.id) : null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (values) reload();
  }, [node.status, node.attempts]);
  const bars = [...(before ? waitOf(node, values, scale) : []), ...barsOf(node, values, scale)];
  return (
    <tr className={isChosen ? "chosen" : undefined} data-status={node.status}>
      <th scope="row">
        <button type="button" aria-pressed={isChosen} onClick={() => onChoose(node.id)}>
          <span className="waterfall-name">{node.id}</span>
          {node.attempts > 1 && <span className="muted small figures">{node.attempts}×</span>}
          <StatusBadge status={statusOf(node)} />
        </button>
      </th>
      <td className="timeline" onClick={() => onChoose(node.id)}>
        <Lines scale={scale} />
        <span className={bars.length > 0 ? "hidden-visually" : "no-bar muted small"}>{inWords(node, values, before)}</span>
        {bars.map((bar, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: bars are only added
          <BarView key={place} bar={bar} scale={scale} title={titleOf(bar, node, before)} />
        ))}
      </td>
      <td className="end figures small">{node.durationMs === null ? "" : duration(workOf(node, values))}</td>
      <td className="end figures small">{node.creditsCost ? node.creditsCost.toLocaleString("en") : ""}</td>
    </tr>
  );
}

function Lines({ scale }: { scale: Scale }) {
  return (
    <>
      {scale.cuts.map((cut) => (
        <span key={cut.from} className="cut" aria-hidden="true" style={styleOf(cut, scale)} />
      ))}
      {ticksOf(scale).map(({ at }) => (
        <span key={at} className="tick" aria-hidden="true" style={{ left: `${at}%` }} />
      ))}
    </>
  );
}

const TITLES: Record<Exclude<Bar["kind"], "waited" | "queued">, string> = {
  ran: "Ran",
  failed: "Failed after",
  running: "Runs for",
  pause: "Pause before a retry",
  waiting: "Waited",
};

/** The kind, the duration and the cost of a bar, in words. */
function titleOf({ kind, from, to }: Bar, node: ExecutionNode, before: string | undefined): string {
  const time = duration(to - from);
  if (kind === "waited") return `Waited ${time} for ${before}`;
  if (kind === "queued") return `Waited ${time} for ${turnOf(node)}`;
  const price = kind === "ran" && node.creditsCost > 0 ? `, ${credits(node.creditsCost)}` : "";
  return `${TITLES[kind]} ${time}${price}`;
}

function BarView({ bar, scale, title }: { bar: Bar; scale: Scale; title: string }) {
  return <span className={`bar ${bar.kind}`} aria-hidden="true" title={title} style={styleOf(bar, scale)} />;
}

const WITHOUT_TIME: Record<string, string> = {
  completed: "taken from the run before",
  pending: "waits for the nodes before it",
  ready: "waits for a worker",
};

function inWords(node: ExecutionNode, values: NodeValues | undefined, before: string | undefined): string {
  if (!node.startedAt) return WITHOUT_TIME[node.status] ?? "did not run";
  const queued = isWait(node) ? 0 : (values?.attempts.reduce((sum, each) => sum + each.queuedMs, 0) ?? 0);
  const parts = [before && `after ${before}`, queued > 0 && `waited ${duration(queued)} for ${turnOf(node)}`];
  parts.push(workInWords(node, values));
  if (node.attempts > 1) parts.push(`${node.attempts} attempts, ${duration(values?.waitedMs ?? 0)} of pauses`);
  return parts.filter(Boolean).join(", ");
}

function workInWords(node: ExecutionNode, values: NodeValues | undefined): string {
  if (isWait(node)) return node.durationMs === null ? "waits" : `waited ${duration(node.durationMs)}`;
  return node.durationMs === null ? "is running" : `ran ${duration(workOf(node, values))}`;
}
