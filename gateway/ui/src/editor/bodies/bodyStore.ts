/** The state of a graph inside of a node. Its document is a part of the outer one; what is chosen there is its own. */

import { keepSame } from "../catalogue/check";
import type { Edit } from "../document/edits";
import { type EditorState, EditorStore } from "../document/store";
import { checkInside, viewOf, within } from "./body";

type Own = Pick<EditorState, "selection" | "focusedField" | "edited">;

export class BodyStore extends EditorStore {
  readonly root: EditorStore;
  private readonly outer: EditorStore;
  private readonly nodeId: string;
  private own: Own = { selection: new Set(), focusedField: null, edited: null };
  private readonly watchers = new Set<() => void>();
  private derived: { from: EditorState; own: Own; state: EditorState } | null = null;

  constructor(outer: EditorStore, nodeId: string) {
    super(outer.slug, [...outer.path, nodeId]);
    this.outer = outer;
    this.root = outer.root;
    this.nodeId = nodeId;
    this.saveNow = () => outer.saveNow();
    this.dropUnchanged = () => outer.dropUnchanged();
  }

  get = (): EditorState => {
    const from = this.outer.get();
    const { derived, own } = this;
    if (derived?.from === from && derived.own === own) return derived.state;
    // The steps are those of the workflow: undo leads through all of its graphs.
    const history =
      derived?.from.history === from.history
        ? derived.state.history
        : { ...from.history, present: viewOf(from.history.present, this.nodeId) };
    const state = { ...from, ...own, history, check: this.checkOf(from) };
    this.derived = { from, own, state };
    return state;
  };

  /** The part of the outer check that is about this graph. */
  private checkOf({ check }: EditorState): EditorState["check"] {
    const { derived } = this;
    if (derived?.from.check === check) return derived.state.check;
    const inside = checkInside(check, this.nodeId);
    return derived ? keepSame(derived.state.check, inside) : inside;
  }

  subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    const leaveOuter = this.outer.subscribe(watcher);
    return () => {
      this.watchers.delete(watcher);
      leaveOuter();
    };
  };

  undo = (): void => this.outer.undo();

  redo = (): void => this.outer.redo();

  set(changes: Partial<EditorState>): void {
    const { selection, focusedField, edited } = { ...this.own, ...changes };
    this.own = { selection, focusedField, edited };
    // The panel is one for all graphs; telling the outer watchers tells those of this graph.
    if (changes.panel !== undefined) this.outer.set({ panel: changes.panel });
    else for (const notify of [...this.watchers]) notify();
  }

  edit(change: Edit, step = ""): void {
    this.outer.edit(within(this.nodeId, change), step && `${this.nodeId}/${step}`);
  }

  amend(change: Edit): void {
    this.outer.amend(within(this.nodeId, change));
  }
}

const known = new WeakMap<EditorStore, Map<string, EditorStore>>();

/** The store of the graph at a path inside of another one; the same one at each call. */
export function storeAt(outer: EditorStore, path: readonly string[]): EditorStore {
  const [first, ...rest] = path;
  if (first === undefined) return outer;
  const inner = known.get(outer) ?? new Map<string, EditorStore>();
  known.set(outer, inner);
  const store = inner.get(first) ?? new BodyStore(outer, first);
  inner.set(first, store);
  return storeAt(store, rest);
}
