/** The parts that commands act on. */

import type { ReactFlowInstance } from "@xyflow/react";
import type { Model } from "../../../api/types";
import type { Catalogue } from "../../catalogue/catalogue";
import type { Point } from "../../document/document";
import type { EditorStore } from "../../document/store";
import type { LooseWire } from "../choices";
import type { FlowEdge, FlowNode } from "../flow";

/** A small window over the canvas; `at` is a place in the browser's window, or null beside the chosen node. */
export type Popup =
  | { kind: "add"; at: Point | null; wire: LooseWire | null }
  | { kind: "wire"; at: Point; node: string }
  | { kind: "unwire"; at: Point; node: string }
  | { kind: "menu"; at: Point; on: "node" | "wire" | "canvas" }
  | { kind: "help" };

/** The drawing, with the store, the catalogue and the element that scrolls to its parts. */
export interface Surface {
  store: EditorStore;
  catalogue: Catalogue | undefined;
  flow: ReactFlowInstance<FlowNode, FlowEdge>;
  region: HTMLElement | null;
}

export interface CanvasContext extends Surface {
  models: readonly Model[];
  /** The place of the pointer over the canvas. */
  pointer: () => Point | null;
  /** The middle of the canvas. */
  middle: () => Point;
  open: (popup: Popup | null) => void;
}

/** The chosen nodes, in the order of the document. */
export function chosenNodes({ store }: CanvasContext): string[] {
  const { selection } = store.get();
  return store.document.nodes.filter((node) => selection.has(node.id)).map((node) => node.id);
}

export function chosenEdges({ store }: CanvasContext): string[] {
  const { selection } = store.get();
  return store.document.edges.filter((edge) => selection.has(edge.id)).map((edge) => edge.id);
}

/** A place in the window beside a node, for popups that open by keyboard. */
export function besideNode({ flow }: CanvasContext, id: string): Point {
  const node = flow.getInternalNode(id);
  const { x, y } = node?.internals.positionAbsolute ?? { x: 0, y: 0 };
  return flow.flowToScreenPosition({ x: x + (node?.measured.width ?? 0) + 12, y });
}

/** Size of a node; of one that was never drawn, that of a usual card. */
export function sizeOf({ measured }: FlowNode): { width: number; height: number } {
  return { width: measured?.width ?? 240, height: measured?.height ?? 200 };
}

export function boxesOf({ flow }: CanvasContext, ids: readonly string[]) {
  return ids.flatMap((id) => {
    const node = flow.getNode(id);
    const { width, height } = node?.measured ?? {};
    return node && width && height ? [{ id, ...node.position, width, height }] : [];
  });
}
