import { type MouseEvent, useMemo } from "react";
import type { Point } from "../../document/document";
import type { FlowEdge, FlowNode } from "../flow";
import type { CanvasContext } from "./context";

type AnyMouseEvent = MouseEvent | globalThis.MouseEvent;

/** Handlers of React Flow that open the context menu of a node, a wire or the canvas. */
export function useMenus({ store, open }: CanvasContext) {
  return useMemo(() => {
    const openMenu = (event: AnyMouseEvent, on: "node" | "wire" | "canvas", id?: string): void => {
      if ((event.target as Element).closest("input, textarea")) return;
      event.preventDefault();
      event.stopPropagation();
      if (id && !store.get().selection.has(id)) store.select([id]);
      open({ kind: "menu", on, at: placeOf(event) });
    };
    return {
      onNodeContextMenu: (event: MouseEvent, { id }: FlowNode) => openMenu(event, "node", id),
      onEdgeContextMenu: (event: MouseEvent, { id }: FlowEdge) => openMenu(event, "wire", id),
      onPaneContextMenu: (event: AnyMouseEvent) => openMenu(event, "canvas"),
    };
  }, [store, open]);
}

/** The place of a context menu: at the pointer, or at the element if it was opened by keyboard. */
function placeOf(event: AnyMouseEvent): Point {
  if (event.clientX || event.clientY) return { x: event.clientX, y: event.clientY };
  const { left, top } = (event.target as Element).getBoundingClientRect();
  return { x: left + 24, y: top + 24 };
}
