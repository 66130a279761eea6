import {
  applyNodeChanges,
  Background,
  type Connection,
  ConnectionLineType,
  Controls,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { type DragEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { toast } from "../../components/Toast";
import { useCatalogue } from "../catalogue/catalogue";
import type { Point } from "../document/document";
import { connect, move, onGrid } from "../document/edits";
import { useDocument, useEditor, useStore } from "../document/store";
import { addOfType, DRAGGED_TYPE } from "./adding";
import "./canvas.css";
import { findWire, refusal } from "./connecting";
import { type FlowEdge, type FlowNode, flowEdges, flowNodes } from "./flow";
import { NodeCard } from "./NodeCard";
import { NoteCard } from "./NoteCard";
import { Wire } from "./Wire";

const NODE_TYPES = { card: NodeCard, note: NoteCard };
const EDGE_TYPES = { wire: Wire };

/** The drawing: nodes, wires and whatever is done to them by pointer and keyboard. */
export function Canvas() {
  const store = useStore();
  const catalogue = useCatalogue();
  const document = useDocument();
  const selection = useEditor((state) => state.selection);
  const flow = useReactFlow();
  const [nodes, setNodes] = useState<FlowNode[]>([]);
  const formerEdges = useRef<FlowEdge[]>([]);

  useEffect(
    () => setNodes((before) => flowNodes(document.nodes, selection, before)),
    [document.nodes, selection],
  );
  const edges = useMemo(() => {
    const types = new Map(document.nodes.map((node) => [node.id, node.type]));
    formerEdges.current = flowEdges(document.edges, types, selection, formerEdges.current);
    return formerEdges.current;
  }, [document.edges, document.nodes, selection]);

  const onNodesChange = useCallback(
    (changes: NodeChange<FlowNode>[]) => {
      select(store, changes);
      // Sizes, and positions while dragging; the document learns the last position when the drag ends.
      const drawn = changes.filter((change) => change.type === "dimensions" || change.type === "position");
      if (drawn.length > 0) setNodes((before) => applyNodeChanges(drawn, before));
    },
    [store],
  );
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => select(store, changes), [store]);
  const onNodeDragStop = useCallback(
    (_: unknown, __: FlowNode, dragged: FlowNode[]) => {
      const positions = new Map<string, Point>(dragged.map((node) => [node.id, onGrid(node.position)]));
      store.edit(move(positions));
      // A drag back to the start changes no document, so draw from it again in any case.
      setNodes((before) => flowNodes(store.document.nodes, store.get().selection, before));
    },
    [store],
  );
  const onConnect = useCallback(
    (connection: Connection) => {
      const wire = findWire(store, catalogue, connection);
      if (wire) store.edit(connect(wire, wire.takesMany));
    },
    [store, catalogue],
  );
  const isValidConnection = useCallback(
    (connection: Connection | FlowEdge) => refusal(store, catalogue, connection) === null,
    [store, catalogue],
  );
  const onConnectEnd = useCallback(
    (_: unknown, end: FinalConnectionState) => {
      if (end.isValid !== false || !end.fromHandle || !end.toHandle) return;
      const isForward = end.fromHandle.type === "source";
      const [from, to] = isForward ? [end.fromHandle, end.toHandle] : [end.toHandle, end.fromHandle];
      const connection = {
        source: from.nodeId,
        target: to.nodeId,
        sourceHandle: from.id ?? null,
        targetHandle: to.id ?? null,
      };
      toast(refusal(store, catalogue, connection) ?? "These two sockets cannot be wired.");
    },
    [store, catalogue],
  );
  const onDrop = (event: DragEvent): void => {
    const type = catalogue?.get(event.dataTransfer.getData(DRAGGED_TYPE));
    if (!type) return;
    event.preventDefault();
    addOfType(store, type, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
  };

  return (
    <section className="canvas" aria-label="Canvas" onDragOver={allow} onDrop={onDrop}>
      <ReactFlow<FlowNode, FlowEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeDragStop={onNodeDragStop}
        onNodeClick={(_, node) => store.show(node.id)}
        onConnect={onConnect}
        onConnectEnd={onConnectEnd}
        isValidConnection={isValidConnection}
        connectionLineType={ConnectionLineType.Bezier}
        connectionRadius={28}
        deleteKeyCode={null}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.2 }}
        minZoom={0.05}
        maxZoom={2}
        colorMode="system"
      >
        <Background gap={24} />
        <Controls showInteractive={false} />
        <MiniMap pannable zoomable ariaLabel="Minimap" />
      </ReactFlow>
    </section>
  );
}

function allow(event: DragEvent): void {
  if (event.dataTransfer.types.includes(DRAGGED_TYPE)) event.preventDefault();
}

function select(store: ReturnType<typeof useStore>, changes: (NodeChange<FlowNode> | EdgeChange<FlowEdge>)[]): void {
  const selection = new Set(store.get().selection);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) selection.add(change.id);
    else selection.delete(change.id);
  }
  store.select(selection);
}
