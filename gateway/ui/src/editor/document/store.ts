/** The state of one open editor, outside of React, so that saving and checking do not depend on the components that are shown. */

import { createContext, useContext, useSyncExternalStore } from "react";
import { type Check, NOT_CHECKED } from "../catalogue/check";
import type { Saving } from "../saving/state";
import type { EditorDocument } from "./document";
import type { Edit } from "./edits";
import { begin, carry, type History, record, redo, undo } from "./history";

const PANELS = ["settings", "problems", "run", "deploy", "tests", "versions", "workflow"] as const;
export type PanelName = (typeof PANELS)[number];

export function isPanel(name: string | null): name is PanelName {
  return PANELS.some((each) => each === name);
}

export interface EditorState {
  history: History<EditorDocument>;
  /** Ids of the chosen nodes and edges. */
  selection: ReadonlySet<string>;
  /** The last answer about the document: problems, sockets and estimate. */
  check: Check;
  saving: Saving;
  panel: PanelName | null;
  /** The setting of the selected node that the panel shall lead to. */
  focusedField: string | null;
  /** The node whose name, or the note or group whose text, is edited on the canvas. */
  edited: string | null;
}

/** A graph that is edited: the workflow, or a part of it that is a graph of its own. */
export abstract class EditorStore {
  readonly slug: string;
  /** Ids of the nodes that lead from the workflow to this graph; none for the workflow itself. */
  readonly path: readonly string[];
  /** Save unsaved changes; a workflow without a draft gets one. */
  saveNow: () => Promise<void> = async () => {};
  /** Remove a draft that equals the published document. */
  dropUnchanged: () => Promise<void> = async () => {};

  /** The workflow that has this graph. */
  abstract readonly root: EditorStore;

  constructor(slug: string, path: readonly string[]) {
    this.slug = slug;
    this.path = path;
  }

  abstract get: () => EditorState;

  abstract subscribe: (watcher: () => void) => () => void;

  abstract undo: () => void;

  abstract redo: () => void;

  abstract set(changes: Partial<EditorState>): void;

  /** Edit the document. Edits of the same step name within a second are undone together. */
  abstract edit(change: Edit, step?: string): void;

  /** Change the document as a part of the last edit, so that one undo takes back both. */
  abstract amend(change: Edit): void;

  get document(): EditorDocument {
    return this.get().history.present;
  }

  select(ids: Iterable<string>): void {
    const selection = new Set(ids);
    const former = this.get().selection;
    if (selection.size === former.size && [...selection].every((id) => former.has(id))) return;
    this.set({ selection, focusedField: null });
  }

  /** Show a place in the document: its node or edge, and the setting if one is named. */
  show(id: string, field: string | null = null): void {
    this.set({ selection: new Set([id]), panel: "settings", focusedField: field });
  }
}

const SAME_STEP_MS = 1_000;

/** The workflow. */
export class WorkflowStore extends EditorStore {
  readonly root = this;
  private state: EditorState;
  private readonly watchers = new Set<() => void>();
  private lastStep = { name: "", at: 0 };

  constructor(slug: string, document: EditorDocument, saving: Saving) {
    super(slug, []);
    this.state = {
      history: begin(document),
      selection: new Set(),
      check: NOT_CHECKED,
      saving,
      panel: null,
      focusedField: null,
      edited: null,
    };
  }

  get = (): EditorState => this.state;

  subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  set(changes: Partial<EditorState>): void {
    this.state = { ...this.state, ...changes };
    for (const notify of this.watchers) notify();
  }

  edit(change: Edit, step = ""): void {
    const now = Date.now();
    const isSameStep = step !== "" && step === this.lastStep.name && now - this.lastStep.at < SAME_STEP_MS;
    const history = record(this.state.history, change(this.document), isSameStep);
    if (history === this.state.history) return;
    this.lastStep = { name: step, at: now };
    this.set({ history });
  }

  amend(change: Edit): void {
    const history = record(this.state.history, change(this.document), this.state.history.past.length > 0);
    if (history !== this.state.history) this.set({ history });
  }

  /** Make the same change to the document and to all that undo and redo lead to; `renamed` has new ids of nodes. */
  carry(change: Edit, renamed: ReadonlyMap<string, string>): void {
    const selection = new Set([...this.state.selection].map((id) => renamed.get(id) ?? id));
    this.set({ history: carry(this.state.history, change), selection: renamed.size > 0 ? selection : this.state.selection });
  }

  undo = (): void => this.travel(undo);

  redo = (): void => this.travel(redo);

  private travel(way: typeof undo): void {
    this.lastStep = { name: "", at: 0 };
    const history = way(this.state.history);
    if (history.present !== this.document) this.set({ history });
  }
}

export const EditorContext = createContext<EditorStore | null>(null);

export function useStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error("This component belongs into an editor.");
  return store;
}

/** Read a part of the state; the part is compared by identity, so do not build objects in `select`. */
export function useEditor<T>(select: (state: EditorState) => T): T {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}

export function useDocument(): EditorDocument {
  return useEditor((state) => state.history.present);
}
