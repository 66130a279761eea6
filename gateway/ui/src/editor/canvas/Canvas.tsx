import {
  Background,
  ConnectionLineType,
  Controls,
  MiniMap,
  ReactFlow,
  SelectionMode,
  useStore as useFlowStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { type DragEvent, type MouseEvent, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Breadcrumb } from "../bodies/Breadcrumb";
import type { Point } from "../document/document";
import { useDocument } from "../document/store";
import { ItemRun } from "../running/folded/ItemRun";
import { FoldedRun } from "../running/folded/FoldedRun";
import { Tour } from "../tour/Tour";
import { bodyOf } from "../bodies/body";
import { openGraph } from "../bodies/open";
import { addChoice, DRAGGED_TYPE } from "./adding";
import { useAnnouncement } from "./announce";
import "./canvas.css";
import "./card/card.css";
import "./card/sockets.css";
import { choices, type LooseWire } from "./choices";
import type { CanvasContext } from "./commands/context";
import "./commands/commands.css";
import { alongGraph } from "./commands/order";
import { Popups } from "./commands/Popups";
import { useCanvasContext } from "./commands/useCanvasContext";
import { useMenus } from "./commands/useMenus";
import type { FlowEdge, FlowNode } from "./flow";
import { Groups } from "./Groups";
import { NodeCard } from "./NodeCard";
import { NoteCard } from "./NoteCard";
import { Stacked } from "./Stacked";
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

/** The drawing and the windows over it, with the handlers of pointer and keyboard. */
export function Canvas() {
  const region = useRef<HTMLElement>(null);
  const { context, popup, pointing } = useCanvasContext(region);
  const { store, open } = context;
  const isInside = store.path.length > 0;
  const { nodes } = useDocument();
  const [focused, setFocused] = useState<string>();
  return (
    <section
      ref={region}
      className="canvas"
      aria-label="Canvas"
      onDragOver={allow}
      onDrop={(event) => addDropped(context, event)}
      onDoubleClick={(event) => {
        const isEmpty = (event.target as Element).matches(".react-flow__pane");
        if (isEmpty) open({ kind: "add", at: { x: event.clientX, y: event.clientY }, wire: null });
      }}
      {...pointing}
      onFocus={(event) => {
        const id = (event.target as Element).closest(".react-flow__node")?.getAttribute("data-id");
        if (id) setFocused(id);
      }}
    >
      <Drawing context={context} region={region} focused={focused} />
      {nodes.length === 0 && (
        <p className="canvas-empty">
          Drag a node here, or double click.
          <span>
            <kbd>/</kbd> adds one by name, <kbd>?</kbd> shows all keys.
          </span>
        </p>
      )}
      <Stacked context={context} />
      <Announcement />
      <Breadcrumb />
      {!isInside && <Tour />}
      {isInside ? <ItemRun /> : <FoldedRun />}
      <Popups popup={popup} context={context} />
    </section>
  );
}

interface DrawingProps {
  context: CanvasContext;
  region: RefObject<HTMLElement | null>;
  focused: string | undefined;
}

/** Nodes, wires and groups, as React Flow draws them. */
function Drawing({ context, region, focused }: DrawingProps) {
  const { open } = context;
  const document = useDocument();
  const order = alongGraph(document);
  // On an empty canvas, the first node would move from where it was dropped.
  const [isFilled] = useState(document.nodes.length > 0);
  const { shift, endDrag, ...drawing } = useDrawing(focused && order.includes(focused) ? focused : order[0]);
  useRefit(context);
  const onLoose = useCallback((wire: LooseWire, at: Point) => open({ kind: "add", at, wire }), [open]);
  const wiring = useWiring(region, onLoose);
  const menus = useMenus(context);
  const pointing = useNodePointing(context, endDrag);
  const colourOf = useCallback(
    ({ data: { node } }: FlowNode) => `var(--hue-${slugOf(context.catalogue?.get(node.type)?.category ?? "")}, var(--line-strong))`,
    [context.catalogue],
  );
  return (
    <ReactFlow<FlowNode, FlowEdge>
      {...drawing}
      {...wiring}
      {...menus}
      {...pointing}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
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
      <Groups shift={shift} endDrag={endDrag} />
      <Distance region={region} />
    </ReactFlow>
  );
}

/** Handlers of clicks and drags. They keep their identity, else each frame of a drag draws every node anew. */
function useNodePointing({ store }: CanvasContext, endDrag: (ids: readonly string[]) => void) {
  return useMemo(
    () => ({
      onNodeClick: (event: MouseEvent, { id }: FlowNode): void => {
        const isMore = event.shiftKey || event.ctrlKey || event.metaKey;
        if (!isMore && !(event.target as Element).closest("input, textarea, a")) store.show(id);
      },
      onNodeDoubleClick: (_: unknown, { id, data: { node } }: FlowNode): void => {
        if (bodyOf(node)) openGraph([...store.path, id]);
      },
      onNodeDragStop: (_: unknown, __: FlowNode, dragged: FlowNode[]): void => endDrag(dragged.map((node) => node.id)),
    }),
    [store, endDrag],
  );
}

/** Add the node that was dragged here from the side bar. */
function addDropped(context: CanvasContext, event: DragEvent): void {
  const { catalogue, models, flow } = context;
  const key = event.dataTransfer.getData(DRAGGED_TYPE);
  const choice = catalogue && choices(catalogue, models).find((each) => each.key === key);
  if (!choice) return;
  event.preventDefault();
  addChoice(context, choice, flow.screenToFlowPosition({ x: event.clientX - 40, y: event.clientY - 20 }));
}

/** Marks the canvas as seen from far away, so that style sheets hide text that nobody can read. */
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

/** A category as a part of a name in style sheets. */
function slugOf(category: string): string {
  return category.toLowerCase().replaceAll(" ", "-");
}
