/** Wires after a change of settings: those that still fit stay, and the others go with the same step. */

import type { GraphEdge } from "../../api/types";
import { toast } from "../../components/Toast";
import { all, type Edit, remove, rewire } from "../document/edits";
import type { EditorStore } from "../document/store";
import { fits, type Socket, type Sockets } from "./catalogue";

type SocketsById = Readonly<Record<string, Sockets>>;

const PAUSE_MS = 2_000;
const TEXT_FIELDS = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, [contenteditable=true]";

/** Remove wires that lost their socket, until the returned function is called. */
export function keepFitting(store: EditorStore): () => void {
  let former: SocketsById = store.get().check.sockets;
  let seen = store.get();
  let timer = 0;
  const removeUnfitting = (): void => {
    clearTimeout(timer);
    const { check, history } = store.get();
    if (check.nodes !== store.document.nodes) return;
    // After an undo, the document is as it was: its wires are its own.
    if (history.future.length === 0) drop(store, unfitting(store.document.edges, former, check.sockets));
    former = check.sockets;
  };
  // Sockets come and go while a placeholder is typed, so wait until nobody types.
  const look = (): void => {
    const state = store.get();
    if (state.check === seen.check && state.history === seen.history) return;
    seen = state;
    clearTimeout(timer);
    if (document.activeElement?.matches(TEXT_FIELDS)) timer = window.setTimeout(removeUnfitting, PAUSE_MS);
    else removeUnfitting();
  };
  const onBlur = (): void => void setTimeout(removeUnfitting);
  const unsubscribe = store.subscribe(look);
  document.addEventListener("focusout", onBlur);
  return () => {
    clearTimeout(timer);
    unsubscribe();
    document.removeEventListener("focusout", onBlur);
  };
}

interface Unfitting {
  edge: GraphEdge;
  /** The new names of its sockets, where they were renamed. */
  renamed: Edit | null;
}

/** The wires that fitted before and do not fit now. */
function unfitting(edges: readonly GraphEdge[], before: SocketsById, now: SocketsById): Unfitting[] {
  return edges.flatMap((edge) => {
    const [source, target] = [now[edge.source], now[edge.target]];
    const [formerSource, formerTarget] = [before[edge.source], before[edge.target]];
    if (!source || !target || !formerSource || !formerTarget) return [];
    if (source === formerSource && target === formerTarget) return [];
    if (!isWirable(edge, formerSource, formerTarget) || isWirable(edge, source, target)) return [];
    const sourceHandle = renamedTo(edge.sourceHandle, formerSource.outputs, source.outputs);
    const targetHandle = renamedTo(edge.targetHandle, formerTarget.inputs, target.inputs);
    const isKept = isWirable({ sourceHandle, targetHandle }, source, target);
    return [{ edge, renamed: isKept ? rewire(edge.id, { sourceHandle, targetHandle }) : null }];
  });
}

function isWirable(ends: Pick<GraphEdge, "sourceHandle" | "targetHandle">, source: Sockets, target: Sockets): boolean {
  const output = source.outputs.find((each) => each.name === ends.sourceHandle);
  const input = target.inputs.find((each) => each.name === ends.targetHandle);
  return Boolean(output && input && fits(output.type, input.type));
}

/** The new name of a socket: another one only where exactly one has gone and one has come. */
function renamedTo(name: string, before: readonly Socket[], now: readonly Socket[]): string {
  const isIn = (sockets: readonly Socket[]) => (socket: Socket) => sockets.some((each) => each.name === socket.name);
  const gone = before.filter((socket) => !isIn(now)(socket));
  const come = now.filter((socket) => !isIn(before)(socket));
  return gone.length === 1 && gone[0]?.name === name && come.length === 1 && come[0] ? come[0].name : name;
}

function drop(store: EditorStore, found: readonly Unfitting[]): void {
  if (found.length === 0) return;
  const dropped = found.filter((each) => !each.renamed).map((each) => each.edge);
  store.amend(all(...found.flatMap((each) => each.renamed ?? []), remove([], dropped.map((edge) => edge.id))));
  if (dropped.length === 0) return;
  const { history } = store.get();
  const undo = (): void => {
    if (store.get().history === history) store.undo();
    else toast("The document has changed since. Undo leads back step by step.");
  };
  toast(sentence(dropped), { label: "Undo", run: undo });
}

function sentence(dropped: readonly GraphEdge[]): string {
  const names = dropped.map((edge) => `${edge.source} ${edge.sourceHandle} → ${edge.target} ${edge.targetHandle}`);
  if (dropped.length === 1) return `A wire no longer fits and was removed: ${names[0]}.`;
  const shown = names.slice(0, 4).join("; ") + (names.length > 4 ? `; and ${names.length - 4} more` : "");
  return `${dropped.length} wires no longer fit and were removed: ${shown}.`;
}
