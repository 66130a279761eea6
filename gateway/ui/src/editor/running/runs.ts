/** The run that the canvas shows, outside of React: one at a time, started here or found on the server. */

import { useSyncExternalStore } from "react";
import type { Waiting } from "../../api/approvals";
import { ApiError, call, get } from "../../api/client";
import { type RunEvent, run, watch } from "../../api/events";
import { invalidate } from "../../api/resource";
import type { ExecutionRow, GraphNode, Page } from "../../api/types";
import type { Draft, Faults } from "../../playground/inputs";
import { check, inputsOf } from "../../playground/inputs";
import { isParent } from "../../children/children";
import { isOfRun, type NodeState, openWaits, type RunState, withEvent } from "../../playground/runState";
import { type EditorStore, useStore } from "../document/store";
import { RecordReader } from "./children/record";
import { fieldsOf, filled } from "./form";
import { pinsOf } from "./values/pins";

/** A part of the workflow to run; without members, the whole of it. */
export interface Part {
  /** This node and those before it. */
  only?: string;
  /** This node and all that follow from it. */
  rerun?: string;
}

type Settings = ReadonlyMap<string, GraphNode["data"]>;

export interface Running {
  run: RunState | null;
  /** The settings that the nodes run with; null for a run that began elsewhere. */
  ranWith: Settings | null;
  isSaving: boolean;
  /** Values of the form that somebody has changed. */
  form: Draft;
  faults: Faults;
  /** The node whose values are shown. */
  inspected: string | null;
  /** The approval that is being answered. */
  answered: Waiting | null;
  isComparing: boolean;
}

const LIVE = ["processing", "cancel_requested"];
const WAITING = "execution.waiting";
const WAITING_TYPES = new Set(["delay", "approval"]);
const NO_NODES: ReadonlyMap<string, NodeState> = new Map();

/** Whether the nodes of a type wait, of which the record of the run knows more than its events. */
function isHeld(node: { type: string }): boolean {
  return isParent(node) || WAITING_TYPES.has(node.type);
}

export function isLive({ run, isSaving }: Running): boolean {
  return isSaving || (run !== null && [...LIVE, "starting"].includes(run.status));
}

export class Runs {
  private readonly store: EditorStore;
  private state: Running = {
    run: null,
    ranWith: null,
    isSaving: false,
    form: {},
    faults: {},
    inspected: null,
    answered: null,
    isComparing: false,
  };
  private byId = NO_NODES;
  private readonly watchers = new Set<() => void>();
  /** The state after all events, which is shown with the next frame. */
  private pending: RunState | null = null;
  private turn = 0;
  private readonly reader = new RecordReader(
    () => this.pending ?? this.state.run,
    (run) => this.draw(run),
  );

  constructor(store: EditorStore) {
    this.store = store;
  }

  get = (): Running => this.state;

  node(id: string): NodeState | undefined {
    return this.byId.get(id);
  }

  subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  set(changes: Partial<Running>): void {
    this.state = { ...this.state, ...changes };
    if (changes.run !== undefined) this.byId = new Map(changes.run?.nodes.map((node) => [node.id, node]));
    for (const notify of this.watchers) notify();
  }

  fill(form: Draft): void {
    this.set({ form: { ...this.state.form, ...form }, faults: {} });
  }

  /** Save the draft, then run it or a part of it. */
  async start(part: Part = {}): Promise<void> {
    if (isLive(this.state)) return;
    const fields = fieldsOf(this.store.document);
    const form = filled(this.store.document, this.state.form);
    // A part may need few inputs, which the server knows.
    const faults = part.only ? {} : check(fields, form);
    this.set({ faults });
    if (Object.keys(faults).length > 0) return this.store.set({ panel: "run" });
    const from = part.only || part.rerun ? await this.lastEnded() : null;
    const again = from ? { from, rerun: part.rerun ?? part.only } : {};
    const only = part.only ? { only: part.only } : {};
    const mine = ++this.turn;
    this.set({ isSaving: true });
    try {
      await this.store.saveNow();
      const { document } = this.store;
      const body = { inputs: inputsOf(fields, form), pinned: pinsOf(document), ...only, ...again };
      const settings = new Map(document.nodes.map((node) => [node.id, node.data]));
      const stream = run(`/api/workflows/${this.store.slug}/draft/run`, body);
      // An accepted run has a copy of the draft.
      const events = onFirst(stream, () => void this.store.dropUnchanged());
      await this.follow(mine, events, { status: "starting", startedAt: Date.now(), nodes: [] }, settings);
    } catch (error) {
      void this.store.dropUnchanged();
      this.refuse(mine, error);
    }
    invalidate("/api/executions");
    invalidate("/api/me");
  }

  /** Show an execution on the canvas; one that goes on is followed. */
  async show(execution: ExecutionRow): Promise<void> {
    const mine = ++this.turn;
    const { executionId, status, createdAt } = execution;
    const begin: RunState = { status, executionId, startedAt: Date.parse(createdAt), nodes: [] };
    try {
      await this.follow(mine, watch(executionId), begin, null);
    } catch (error) {
      this.refuse(mine, error);
    }
  }

  /** Find a run of the draft that goes on, begun before this page was loaded or in another window. */
  async find(): Promise<void> {
    if (isLive(this.state)) return;
    const draftRun = (await this.newest("&status=processing")).find(({ source }) => source === "app-draft");
    if (draftRun && !isLive(this.state)) await this.show(draftRun);
  }

  cancel(): void {
    const id = this.state.run?.executionId;
    if (id) void call("POST", `/api/executions/${id}/cancel`).catch(() => {});
  }

  /** Take the run off the canvas; one that goes on goes on. */
  clear(): void {
    this.turn += 1;
    this.reader.stop();
    this.set({ run: null, ranWith: null, isSaving: false, answered: null });
  }

  private async follow(
    mine: number,
    events: AsyncGenerator<RunEvent>,
    begin: RunState,
    ranWith: Settings | null,
  ): Promise<void> {
    if (mine !== this.turn) return;
    this.pending = null;
    this.reader.stop();
    this.set({ run: begin, ranWith, isSaving: false, answered: null });
    for await (const { name, data } of events) {
      if (mine !== this.turn) return;
      if (name.startsWith("child.") || name === WAITING || isHeld(data as { type: string })) this.reader.readSoon();
      if (!name.startsWith("child.")) this.draw(withEvent(this.pending ?? this.state.run ?? begin, name, data));
    }
    if (mine === this.turn && this.state.run?.nodes.some(isParent)) await this.reader.read();
  }

  /** Show a state with the next frame; a hidden page has no frames. */
  private draw(next: RunState): void {
    const isDrawn = this.pending === null;
    this.pending = next;
    if (!isDrawn) return;
    const mine = this.turn;
    const show = (): void => {
      if (mine === this.turn && this.pending) this.set({ run: this.pending });
      this.pending = null;
    };
    if (document.hidden) setTimeout(show);
    else requestAnimationFrame(show);
  }

  private refuse(mine: number, reason: unknown): void {
    if (mine !== this.turn) return;
    const error = reason instanceof ApiError ? reason : new ApiError(0, { error: (reason as Error).message });
    const { run } = this.state;
    const { field } = error.details;
    const faults = typeof field === "string" ? { [field]: String(error.details.reason ?? error.message) } : {};
    this.set({ run: { startedAt: Date.now(), nodes: [], ...run, status: "refused", error }, isSaving: false, faults });
    this.store.set({ panel: "run" });
  }

  /** The newest execution of this workflow that has ended and has values. */
  private async lastEnded(): Promise<string | null> {
    const { run } = this.state;
    if (run?.executionId && run.execution) return run.executionId;
    return (await this.newest("")).find(({ status }) => !LIVE.includes(status))?.executionId ?? null;
  }

  private async newest(filter: string): Promise<ExecutionRow[]> {
    const path = `/api/executions?workflowSlug=${this.store.slug}&limit=50${filter}`;
    return (await get<Page<ExecutionRow>>(path)).rows;
  }
}

/** Yield the same events; `notify` is called with the first one. */
async function* onFirst(events: AsyncGenerator<RunEvent>, notify: () => void): AsyncGenerator<RunEvent> {
  let isFirst = true;
  for await (const event of events) {
    if (isFirst) notify();
    isFirst = false;
    yield event;
  }
}

const known = new WeakMap<EditorStore, Runs>();

/** The runs of an open editor. */
export function runsOf(store: EditorStore): Runs {
  let runs = known.get(store);
  if (!runs) {
    runs = new Runs(store);
    known.set(store, runs);
  }
  return runs;
}

export function useRuns(): Runs {
  return runsOf(useStore());
}

/** Read a part of the state; the part is compared by identity. */
export function useRunning<T>(select: (state: Running) => T): T {
  const runs = useRuns();
  return useSyncExternalStore(runs.subscribe, () => select(runs.get()));
}

/** The wait of a node in the run that is shown. */
export function useNodeWait(id: string): Waiting | undefined {
  return useRunning(({ run }) => run?.waits?.length ? openWaits(run).find((wait) => wait.nodeId === id && isOfRun(wait, run)) : undefined);
}

export function useNodeRun(id: string): NodeState | undefined {
  const runs = useRuns();
  return useSyncExternalStore(runs.subscribe, () => runs.node(id));
}
