/** Numbers of the children of a run's nodes: the execution has them, and events say when to read them again. */

import { get } from "../../../api/client";
import type { ExecutionDetail } from "../../../api/types";
import { childrenOf, endedOf, isParent } from "../../../children/children";
import type { NodeState, RunState } from "../../../playground/runState";

/** Between two reads while children end, which may be hundreds in a second. */
const PAUSE_MS = 500;

export class ChildCounter {
  private timer = 0;
  private readonly current: () => RunState | null;
  private readonly show: (nodes: (nodes: NodeState[]) => NodeState[]) => void;

  /** `current` gives the run that is shown, `show` changes its nodes. */
  constructor(current: () => RunState | null, show: (nodes: (nodes: NodeState[]) => NodeState[]) => void) {
    this.current = current;
    this.show = show;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  /** Read the numbers soon, and again as long as children run. */
  readSoon(): void {
    this.timer ||= window.setTimeout(() => void this.read(), PAUSE_MS);
  }

  async read(): Promise<void> {
    this.stop();
    const id = this.current()?.executionId;
    if (!id) return;
    const execution = await get<ExecutionDetail>(`/api/executions/${id}`).catch(() => null);
    if (this.current()?.executionId !== id) return;
    if (execution) this.show((nodes) => nodes.map((node) => withChildren(node, execution)));
    const isLive = this.current()?.nodes.some((node) => isParent(node) && isOpen(node));
    if (isLive) this.readSoon();
  }
}

function isOpen({ status, children }: NodeState): boolean {
  return status === "running" || status === "waiting" || (children !== undefined && endedOf(children) < children.count && status !== "cancelled");
}

function withChildren(node: NodeState, execution: ExecutionDetail): NodeState {
  const found = execution.nodes.find((each) => each.id === node.id);
  const children = found && childrenOf(found);
  return children ? { ...node, children } : node;
}
