/** New nodes, from the sidebar or from the search on the canvas. */

import type { GraphNode } from "../../api/types";
import type { NodeType } from "../catalogue/catalogue";
import { freeId, type Point } from "../document/document";
import { addNode, nodeIds, onGrid } from "../document/edits";
import type { EditorStore } from "../document/store";

/** Type of the data of a drag from the sidebar. */
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

/** Add a node of a type, choose it, and return its id. */
export function addOfType(store: EditorStore, type: NodeType, at: Point): string {
  const id = freeId(type.type, nodeIds(store.document));
  store.edit(addNode({ id, type: type.type, position: onGrid(at), data: startingData(type) }));
  store.show(id);
  return id;
}
