/** The view of the canvas when the panel of runs opens or folds away. */

import { useEffect } from "react";
import type { Surface } from "./commands/context";

const FIT = { maxZoom: 1, padding: 0.1, duration: 200 };
/** How far a node may stick out of a view that shows all, in pixels. */
const TOLERANCE = 4;

/** Keep all nodes in view where they were in view before the panel of runs changed the room for them. */
export function useRefit(surface: Surface): void {
  useEffect(() => refitAfterRuns(surface), [surface]);
}

function refitAfterRuns(surface: Surface): () => void {
  const { store, flow } = surface;
  let { panel } = store.get();
  // A panel that is open at first has changed nothing.
  return store.subscribe(() => {
    const before = panel;
    panel = store.get().panel;
    if (before === panel || (before !== "run" && panel !== "run") || !showsAll(surface)) return;
    // The canvas has its new size with the next frame, and React Flow knows of it with the one after.
    requestAnimationFrame(() => requestAnimationFrame(() => void flow.fitView(FIT)));
  });
}

function showsAll({ flow, region }: Surface): boolean {
  const nodes = flow.getNodes();
  if (!region || nodes.length === 0) return false;
  const { x, y, width, height } = flow.getNodesBounds(nodes);
  const [from, to] = [flow.flowToScreenPosition({ x, y }), flow.flowToScreenPosition({ x: x + width, y: y + height })];
  const view = region.getBoundingClientRect();
  return (
    from.x >= view.left - TOLERANCE &&
    from.y >= view.top - TOLERANCE &&
    to.x <= view.right + TOLERANCE &&
    to.y <= view.bottom + TOLERANCE
  );
}
