import {
  Background,
  ConnectionLineType,
  Controls,
  MiniMap,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore as useFlowStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { type DragEvent, type MouseEvent, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCatalogue } from "../catalogue/catalogue";
import { keepFitting } from "../catalogue/fitting";
import { useModels } from "../catalogue/models";
import type { Point } from "../document/document";
import { useDocument, useStore } from "../document/store";
import { FoldedRun } from "../running/FoldedRun";
import { Tour } from "../tour/Tour";
import { addChoice, DRAGGED_TYPE } from "./adding";
import { useAnnouncement } from "./announce";
import "./canvas.css";
import "./card/card.css";
import { choices, type LooseWire } from "./choices";
import type { CanvasContext, Popup } from "./commands/context";
import "./commands/commands.css";
import { alongGraph } from "./commands/order";
import { Popups } from "./commands/Popups";
import { useClipboard } from "./commands/useClipboard";
import { useShortcuts } from "./commands/useShortcuts";
import type { FlowEdge, FlowNode } from "./flow";
import { Groups } from "./Groups";
import { NodeCard } from "./NodeCard";
import { NoteCard } from "./NoteCard";
import { useDrawing } from "./useDrawing";
import { useRefit } from "./useRefit";
import { useWiring } from "./useWiring";
import { Wire } from "./Wire";

const NODE_TYPES = { card: NodeCard, note: NoteCard };
const EDGE_TYPES = { wire: Wire };
const FIT = { maxZoom: 1, padding: 0.2 };
const GRID: [number, number] = [8, 8];
/** Below this zoom, cards show their heads only. */
const FAR = 0.45;
/** Above this number, nodes out of sight are not drawn. */
const MANY = 400;

/** The drawing: nodes, wires and whatever is done to them by pointer and keyboard. */
export function Canvas() {
  const store = useStore();
  const document = useDocument();
  const catalogue = useCatalogue();
  const models = useModels();
  const flow = useReactFlow<FlowNode, FlowEdge>();
  const region = useRef<HTMLElement>(null);
  const pointer = useRef<Point | null>(null);
  const [popup, open] = useState<Popup | null>(null);
  const [focused, setFocused] = useState<string>();
  const order = alongGraph(document);
  // On an empty canvas, the first node would move from where it was dropped.
  const [isFilled] = useState(document.nodes.length > 0);
  const { shift, settle, ...drawing } = useDrawing(focused && order.includes(focused) ? focused : order[0]);

  const context = useMemo(
    (): CanvasContext => ({
      store,
      catalogue,
      models,
      flow,
      get region() {
        return region.current;
      },
      pointer: () => pointer.current,
      middle: () => middleOf(region.current),
      open,
    }),
    [store, catalogue, models, flow],
  );
  const latest = useRef(context);
  latest.current = context;
  useShortcuts(latest);
  useClipboard(latest);
  useEffect(() => keepFitting(store), [store]);
  useRefit(latest);
  const onLoose = useCallback((wire: LooseWire, at: Point) => open({ kind: "add", at, wire }), []);
  const wiring = useWiring(region, onLoose);

  const onDrop = (event: DragEvent): void => {
    const key = event.dataTransfer.getData(DRAGGED_TYPE);
    const choice = catalogue && choices(catalogue, models).find((each) => each.key === key);
    if (!choice) return;
    event.preventDefault();
    addChoice(context, choice, flow.screenToFlowPosition({ x: event.clientX - 40, y: event.clientY - 20 }));
  };
  const onDoubleClick = (event: MouseEvent): void => {
    const isEmpty = (event.target as Element).matches(".react-flow__pane");
    if (isEmpty) open({ kind: "add", at: { x: event.clientX, y: event.clientY }, wire: null });
  };
  const openMenu = useCallback(
    (event: MouseEvent | globalThis.MouseEvent, on: "node" | "wire" | "canvas", id?: string) => {
      if ((event.target as Element).closest("input, textarea")) return;
      event.preventDefault();
      event.stopPropagation();
      if (id && !store.get().selection.has(id)) store.select([id]);
      open({ kind: "menu", on, at: placeOf(event) });
    },
    [store],
  );
  // All handlers keep their identity, else React Flow draws every node anew on each frame of a drag.
  const menus = useMemo(
    () => ({
      onNodeContextMenu: (event: MouseEvent, { id }: FlowNode) => openMenu(event, "node", id),
      onEdgeContextMenu: (event: MouseEvent, { id }: FlowEdge) => openMenu(event, "wire", id),
      onPaneContextMenu: (event: MouseEvent | globalThis.MouseEvent) => openMenu(event, "canvas"),
    }),
    [openMenu],
  );
  const onNodeClick = useCallback(
    (event: MouseEvent, { id }: FlowNode) => {
      const isMore = event.shiftKey || event.ctrlKey || event.metaKey;
      if (!isMore && !(event.target as Element).closest("input, textarea, a")) store.show(id);
    },
    [store],
  );
  const onNodeDragStop = useCallback(
    (_: unknown, __: FlowNode, dragged: FlowNode[]) => settle(dragged.map((node) => node.id)),
    [settle],
  );
  const colourOf = useCallback(
    ({ data: { node } }: FlowNode) => `var(--hue-${slugOf(catalogue?.get(node.type)?.category ?? "")}, var(--line-strong))`,
    [catalogue],
  );

  return (
    <section
      ref={region}
      className="canvas"
      aria-label="Canvas"
      onDragOver={allow}
      onDrop={onDrop}
      onDoubleClick={onDoubleClick}
      onPointerMove={(event) => {
        pointer.current = { x: event.clientX, y: event.clientY };
      }}
      onPointerLeave={() => {
        pointer.current = null;
      }}
      onFocus={(event) => {
        const id = (event.target as Element).closest(".react-flow__node")?.getAttribute("data-id");
        if (id) setFocused(id);
      }}
    >
      <ReactFlow<FlowNode, FlowEdge>
        {...drawing}
        {...wiring}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodeDragStop={onNodeDragStop}
        onNodeClick={onNodeClick}
        {...menus}
        connectionLineType={ConnectionLineType.Bezier}
        connectionRadius={28}
        selectionMode={SelectionMode.Partial}
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        edgesFocusable={false}
        disableKeyboardA11y
        snapToGrid
        snapGrid={GRID}
        onlyRenderVisibleElements={document.nodes.length > MANY}
        fitView={isFilled}
        fitViewOptions={FIT}
        minZoom={0.02}
        maxZoom={2}
        colorMode="system"
      >
        <Background gap={24} />
        <Controls showInteractive={false} fitViewOptions={FIT} />
        <MiniMap pannable zoomable ariaLabel="Minimap" nodeColor={colourOf} nodeBorderRadius={12} />
        <Groups shift={shift} settle={settle} />
        <Distance region={region} />
      </ReactFlow>
      {document.nodes.length === 0 && (
        <p className="canvas-empty">
          Drag a node here, or double click.
          <span>
            <kbd>/</kbd> adds one by name, <kbd>?</kbd> shows all keys.
          </span>
        </p>
      )}
      <Announcement />
      <Tour />
      <FoldedRun />
      <Popups popup={popup} context={context} />
    </section>
  );
}

/** Marks the canvas as seen from far away, so that style sheets hide what nobody can read. */
function Distance({ region }: { region: RefObject<HTMLElement | null> }) {
  const isFar = useFlowStore((state) => state.transform[2] < FAR);
  useEffect(() => void region.current?.toggleAttribute("data-far", isFar), [region, isFar]);
  return null;
}

function Announcement() {
  return (
    <p className="hidden-visually" aria-live="polite">
      {useAnnouncement()}
    </p>
  );
}

function allow(event: DragEvent): void {
  if (event.dataTransfer.types.includes(DRAGGED_TYPE)) event.preventDefault();
}

function middleOf(region: HTMLElement | null): Point {
  const { left = 0, top = 0, width = 0, height = 0 } = region?.getBoundingClientRect() ?? {};
  return { x: left + width / 2, y: top + height / 3 };
}

/** The place of a context menu: at the pointer, or at the element if it was opened by keyboard. */
function placeOf(event: MouseEvent | globalThis.MouseEvent): Point {
  if (event.clientX || event.clientY) return { x: event.clientX, y: event.clientY };
  const { left, top } = (event.target as Element).getBoundingClientRect();
  return { x: left + 24, y: top + 24 };
}

/** A category as a part of a name in style sheets. */
function slugOf(category: string): string {
  return category.toLowerCase().replaceAll(" ", "-");
}
