/** Nodes and edges as React Flow draws them: those of the document, and positions while a drag lasts. */

import { applyNodeChanges, type EdgeChange, type NodeChange } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCatalogue } from "../catalogue/catalogue";
import type { Point } from "../document/document";
import { move, onGrid } from "../document/edits";
import { type EditorStore, useDocument, useEditor, useStore } from "../document/store";
import { type FlowEdge, type FlowNode, flowEdges, flowNodes } from "./flow";

export interface Drawing {
  nodes: FlowNode[];
  edges: FlowEdge[];
  onNodesChange: (changes: NodeChange<FlowNode>[]) => void;
  onEdgesChange: (changes: EdgeChange<FlowEdge>[]) => void;
  /** Show nodes elsewhere while a drag lasts. */
  shift: (ids: readonly string[], by: Point) => void;
  /** End a drag: the document takes the positions as they are drawn. */
  endDrag: (ids: readonly string[]) => void;
}

/** Draw the document; `current` is the node that Tab leads to. */
export function useDrawing(current: string | undefined): Drawing {
  const store = useStore();
  const catalogue = useCatalogue();
  const { nodes: inDocument, edges: wires } = useDocument();
  const selection = useEditor((state) => state.selection);
  const [nodes, setNodes] = useState<FlowNode[]>([]);
  const drawn = useRef(nodes);
  drawn.current = nodes;
  const formerEdges = useRef<FlowEdge[]>([]);

  const draw = useCallback(
    () => setNodes((before) => flowNodes(store.document.nodes, { selection: store.get().selection, current, catalogue }, before)),
    [store, current, catalogue],
  );
  useEffect(draw, [draw, inDocument, selection]);
  const types = useTypes(inDocument);
  const edges = useMemo(() => {
    formerEdges.current = flowEdges(wires, types, selection, formerEdges.current);
    return formerEdges.current;
  }, [wires, types, selection]);

  const onNodesChange = useCallback(
    (changes: NodeChange<FlowNode>[]) => {
      select(store, changes);
      // Sizes, and positions while dragging; the document learns the last position when the drag ends.
      const shown = changes.filter((change) => change.type === "dimensions" || change.type === "position");
      if (shown.length > 0) setNodes((before) => applyNodeChanges(shown, before));
    },
    [store],
  );
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => select(store, changes), [store]);
  const shift = useCallback((ids: readonly string[], by: Point) => {
    const moved = new Set(ids);
    setNodes((before) =>
      before.map((each) =>
        moved.has(each.id)
          ? { ...each, position: { x: each.data.node.position.x + by.x, y: each.data.node.position.y + by.y } }
          : each,
      ),
    );
  }, []);
  const endDrag = useCallback(
    (ids: readonly string[]) => {
      const moved = new Set(ids);
      const dragged = drawn.current.filter((node) => moved.has(node.id));
      store.edit(move(new Map(dragged.map((node) => [node.id, onGrid(node.position)]))));
      // A drag back to the start changes no document, so draw from it again in any case.
      draw();
    },
    [store, draw],
  );
  return { nodes, edges, onNodesChange, onEdgesChange, shift, endDrag };
}

/** The types of nodes by id; the same object as long as no type changes. */
function useTypes(nodes: readonly { id: string; type: string }[]): ReadonlyMap<string, string> {
  const former = useRef<ReadonlyMap<string, string>>(new Map());
  return useMemo(() => {
    const isSame = nodes.length === former.current.size && nodes.every((node) => former.current.get(node.id) === node.type);
    if (!isSame) former.current = new Map(nodes.map((node) => [node.id, node.type]));
    return former.current;
  }, [nodes]);
}

function select(store: EditorStore, changes: (NodeChange<FlowNode> | EdgeChange<FlowEdge>)[]): void {
  const selection = new Set(store.get().selection);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) selection.add(change.id);
    else selection.delete(change.id);
  }
  store.select(selection);
}
