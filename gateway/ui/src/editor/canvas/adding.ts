/** New nodes, from the sidebar, from the search on the canvas or for a wire. */

import type { GraphNode } from "../../api/types";
import type { NodeType } from "../catalogue/catalogue";
import { freeId, type Point } from "../document/document";
import { addNode, all, connect, type Edit, nodeIds, onGrid } from "../document/edits";
import type { EditorStore } from "../document/store";
import { announce } from "./announce";
import type { Choice, LooseWire } from "./choices";

/** Type of the data of a drag from the sidebar: the key of a choice. */
export const DRAGGED_TYPE = "application/x-headrace-node-type";

/** Settings that a new node begins with. */
function startingData(type: NodeType): GraphNode["data"] {
  const required = type.settings.required ?? [];
  const data: GraphNode["data"] = {};
  for (const name of required) {
    const schema = type.settings.properties?.[name];
    if (schema?.default !== undefined) data[name] = schema.default;
  }
  return data;
}

/** Add a node, wire it if a wire waits for it, choose it, and return its id. */
export function addChoice(store: EditorStore, choice: Choice, at: Point, wire: LooseWire | null = null): string {
  const { type } = choice;
  const id = freeId(type.type, nodeIds(store.document));
  const data = { ...startingData(type), ...choice.data };
  const added = addNode({ id, type: type.type, position: onGrid(at), data });
  store.edit(wire && choice.socket ? all(added, wired(id, choice.socket, wire)) : added);
  store.show(id);
  if (type.type === "note") store.set({ edited: id });
  announce(`${choice.label} added${wire ? ` and wired to ${wire.node}` : ""}`);
  return id;
}

function wired(id: string, socket: string, { node, side, socket: end }: LooseWire): Edit {
  return side === "source"
    ? connect({ source: node, sourceHandle: end.name, target: id, targetHandle: socket }, false)
    : connect({ source: id, sourceHandle: socket, target: node, targetHandle: end.name }, Boolean(end.many));
}
