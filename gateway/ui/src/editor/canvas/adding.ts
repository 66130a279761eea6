/** New nodes, from the sidebar, from the search on the canvas or for a wire. */

import { getViewportForBounds } from "@xyflow/react";
import type { GraphNode } from "../../api/types";
import { BODY, newBody } from "../bodies/body";
import { ERROR_OUT, type NodeType } from "../catalogue/catalogue";
import { freeId, type Point } from "../document/document";
import { addNode, all, connect, type Edit, nodeIds, onGrid } from "../document/edits";
import { freePlace } from "../document/arrange";
import { announce } from "./announce";
import type { Choice, LooseWire } from "./choices";
import { type Surface, sizeOf } from "./commands/context";
import { focusOn, isSeen, reach } from "./commands/useShortcuts";

/** Type of the data of a drag from the sidebar: the key of a choice. */
export const DRAGGED_TYPE = "application/x-headrace-node-type";

/** Size of a card that is not drawn yet: its width, all above its sockets, and a row of sockets. */
const WIDTH = 240;
const HEAD = 152;
const ROW = 24;
const ERROR_ROW = 20;
const PADDING = 0.08;
/** Zoom from which the texts of cards can be read. */
const READABLE = 0.5;
/** Room for wires between neighbours. */
const BETWEEN = 64;

/** Settings that a new node begins with. */
function startingData(type: NodeType): GraphNode["data"] {
  const required = type.settings.required ?? [];
  const data: GraphNode["data"] = {};
  for (const name of required) {
    const schema = type.settings.properties?.[name];
    if (schema?.default !== undefined) data[name] = schema.default;
  }
  if (type.settings.properties?.[BODY]?.["x-widget"] === BODY) data[BODY] = newBody();
  return data;
}

/** Add a node at the free place that is nearest to a point, and bring it into view. */
export function addNear(surface: Surface, choice: Choice, at: Point, wire: LooseWire | null = null): void {
  const { type } = choice;
  const outputs = type.outputs.filter((socket) => socket.name !== ERROR_OUT);
  const rows = Math.max(type.inputs.length, outputs.length, wire ? 1 : 0);
  const height = HEAD + rows * ROW + (outputs.length < type.outputs.length ? ERROR_ROW : 0);
  const placed = surface.flow.getNodes().map((node) => ({ id: node.id, ...node.position, ...sizeOf(node) }));
  const id = addChoice(surface, choice, freePlace({ ...at, width: WIDTH, height }, placed), wire);
  if (type.type !== "note") onceDrawn(surface, id, () => void showNew(surface, id));
}

/** Bring a new node into view: with all others, as long as their texts can be read. */
async function showNew(surface: Surface, id: string): Promise<void> {
  const { flow, region } = surface;
  const { width = 0, height = 0 } = region?.getBoundingClientRect() ?? {};
  const all = getViewportForBounds(flow.getNodesBounds(flow.getNodes()), width, height, 0.02, 1, PADDING);
  if (!isSeen(surface, id) && all.zoom >= READABLE) await flow.setViewport(all);
  reach(surface, id);
}

/** Add a node where its label was pressed: beside the chosen node, else in the middle of the view. */
export function addBeside(surface: Surface, choice: Choice): void {
  const { store, flow, region } = surface;
  const { selection } = store.get();
  const chosen = flow.getNodes().find((node) => node.type === "card" && selection.has(node.id));
  if (chosen && selection.size === 1) {
    const { x, y } = chosen.position;
    return addNear(surface, choice, { x: x + sizeOf(chosen).width + BETWEEN, y });
  }
  const { left = 0, top = 0, width = 0, height = 0 } = region?.getBoundingClientRect() ?? {};
  addNear(surface, choice, flow.screenToFlowPosition({ x: left + width / 2 - WIDTH / 2, y: top + height / 3 }));
}

/** Add a node, wire it if a wire waits for it, choose it, give it the focus and return its id. */
export function addChoice(surface: Surface, choice: Choice, at: Point, wire: LooseWire | null = null): string {
  const { store } = surface;
  const { type } = choice;
  const id = freeId(type.type, nodeIds(store.document));
  const model = choice.firstModel !== undefined && (!wire || wire.socket.type === "text") ? { model: choice.firstModel } : {};
  const data = { ...startingData(type), ...model, ...choice.data };
  const added = addNode({ id, type: type.type, position: onGrid(at), data });
  store.edit(wire && choice.socket ? all(added, wired(id, choice.socket, wire)) : added);
  store.show(id);
  if (type.type === "note") store.set({ edited: id });
  else onceDrawn(surface, id, () => surface.region && focusOn(surface.region, id));
  announce(`${choice.label} added${wire ? ` and wired to ${wire.node}` : ""}`);
  return id;
}

/** Go on once a new node is drawn beside its settings, unless somebody types there already. */
function onceDrawn(surface: Surface, id: string, goOn: () => void, frames = 60): void {
  requestAnimationFrame(() => {
    if (document.activeElement?.closest(".side-panel :is(input, textarea, select)")) return;
    if (surface.flow.getNode(id)?.measured?.width) goOn();
    else if (frames > 0) onceDrawn(surface, id, goOn, frames - 1);
  });
}

function wired(id: string, socket: string, { node, side, socket: end }: LooseWire): Edit {
  return side === "source"
    ? connect({ source: node, sourceHandle: end.name, target: id, targetHandle: socket }, false)
    : connect({ source: id, sourceHandle: socket, target: node, targetHandle: end.name }, Boolean(end.many));
}
