/** Facts of a run that its record has and its events lack: numbers of the children of nodes, and links of waits. */

import { waitingOf } from "../../../api/approvals";
import { get } from "../../../api/client";
import type { ExecutionDetail } from "../../../api/types";
import { childrenOf, endedOf, isParent } from "../../../children/children";
import { isOver, type NodeState, type RunState } from "../../../playground/runState";

/** Before the first read after an event; hundreds of children may end in a second. */
const PAUSE_MS = 500;
/** Longest pause between reads while nothing happens: a wait may last for days. */
const LONGEST_PAUSE_MS = 15_000;

export class RecordReader {
  private timer = 0;
  private pause = PAUSE_MS;
  private readonly current: () => RunState | null;
  private readonly show: (run: RunState) => void;

  /** `current` gives the run that is shown, `show` takes it as the record completes it. */
  constructor(current: () => RunState | null, show: (run: RunState) => void) {
    this.current = current;
    this.show = show;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  /** Read the record soon after an event, and again as long as children or waits are open. */
  readSoon(): void {
    if (this.pause > PAUSE_MS) this.stop();
    this.pause = PAUSE_MS;
    this.timer ||= window.setTimeout(() => void this.read(), PAUSE_MS);
  }

  async read(): Promise<void> {
    this.stop();
    const id = this.current()?.executionId;
    if (!id) return;
    const execution = await get<ExecutionDetail>(`/api/executions/${id}`).catch(() => null);
    const run = this.current();
    if (run?.executionId !== id) return;
    if (execution) this.show({ ...run, waits: waitingOf(execution), nodes: run.nodes.map((node) => completed(node, execution)) });
    if (!isOver(run) && run.nodes.some(isOpen)) {
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
      this.timer ||= window.setTimeout(() => void this.read(), this.pause);
    }
  }
}

function isOpen(node: NodeState): boolean {
  const { status, children } = node;
  if (status === "waiting") return true;
  return isParent(node) && (status === "running" || (children !== undefined && endedOf(children) < children.count && status !== "cancelled"));
}

function completed(node: NodeState, execution: ExecutionDetail): NodeState {
  const found = execution.nodes.find((each) => each.id === node.id);
  const children = found && childrenOf(found);
  // A page that is opened later has no event of a wait that began before.
  const isWaiting = found?.status === "waiting" && node.status === "running";
  return { ...node, ...(children && { children }), ...(isWaiting && { status: "waiting" }) };
}
