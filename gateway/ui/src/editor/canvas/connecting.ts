/** Rules for new wires, with a sentence for each refusal. */

import type { Connection } from "@xyflow/react";
import { type Catalogue, fits, misfit, type Sockets, socketsOf } from "../catalogue/catalogue";
import type { Wire } from "../document/edits";
import type { EditorStore } from "../document/store";

export type End = Pick<Connection, "source" | "target"> & { sourceHandle?: string | null; targetHandle?: string | null };

/** The sockets of a node of the document. */
export function socketsById(store: EditorStore, catalogue: Catalogue | undefined, id: string): Sockets | null {
  const node = store.document.nodes.find((each) => each.id === id);
  return node ? socketsOf(node, store.get().check.sockets, catalogue) : null;
}

/** The wire of a connection, and whether its input takes many; null where a socket is not there. */
export function findWire(
  store: EditorStore,
  catalogue: Catalogue | undefined,
  end: End,
): (Wire & { takesMany: boolean }) | null {
  const { source, target, sourceHandle, targetHandle } = end;
  const input = socketsById(store, catalogue, target)?.inputs.find((each) => each.name === targetHandle);
  const output = socketsById(store, catalogue, source)?.outputs.find((each) => each.name === sourceHandle);
  if (!input || !output) return null;
  return { source, target, sourceHandle: output.name, targetHandle: input.name, takesMany: Boolean(input.many) };
}

/** The reason why these two sockets are not wired; null where they may be. */
export function refusal(store: EditorStore, catalogue: Catalogue | undefined, end: End): string | null {
  const { source, target, sourceHandle, targetHandle } = end;
  const input = socketsById(store, catalogue, target)?.inputs.find((each) => each.name === targetHandle);
  const output = socketsById(store, catalogue, source)?.outputs.find((each) => each.name === sourceHandle);
  if (!output || !input) return "A wire leads from an output to an input.";
  if (source === target) return "A node cannot be wired to itself.";
  if (!fits(output.type, input.type)) return misfit(output, input);
  if (leadsTo(store, target, source)) return "This wire would close a loop.";
  return null;
}

/** Whether wires lead from one node to another. */
function leadsTo(store: EditorStore, from: string, to: string): boolean {
  const targets = new Map<string, string[]>();
  for (const edge of store.document.edges) {
    targets.set(edge.source, [...(targets.get(edge.source) ?? []), edge.target]);
  }
  const seen = new Set([from]);
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true;
    for (const next of targets.get(id) ?? []) {
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}
