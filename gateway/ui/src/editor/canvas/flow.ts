/** The document in the words of React Flow. Nodes and edges that did not change keep their objects. */

import type { Edge, Node } from "@xyflow/react";
import type { GraphEdge, GraphNode } from "../../api/types";
import type { Catalogue } from "../catalogue/catalogue";

export type FlowNode = Node<{ node: GraphNode }, "card" | "note">;
/** `of` is the type of the node that the wire comes from. */
export type FlowEdge = Edge<{ edge: GraphEdge; of: string }, "wire">;

/** Only one node is reached by Tab; the arrows lead on from there. */
const REACHED = { tabIndex: 0 };
const UNREACHED = { tabIndex: -1 };

interface View {
  selection: ReadonlySet<string>;
  /** The node that Tab leads to. */
  current: string | undefined;
  catalogue: Catalogue | undefined;
}

export function flowNodes(
  nodes: readonly GraphNode[],
  { selection, current, catalogue }: View,
  before: readonly FlowNode[],
): FlowNode[] {
  const known = new Map(before.map((each) => [each.id, each]));
  return nodes.map((node) => {
    const former = known.get(node.id);
    const selected = selection.has(node.id);
    const domAttributes = node.id === current ? REACHED : UNREACHED;
    const ariaLabel = nameOf(node, catalogue);
    const isSame =
      former?.data.node === node &&
      former.selected === selected &&
      former.domAttributes === domAttributes &&
      former.ariaLabel === ariaLabel;
    if (isSame && isAt(former, node)) return former;
    const data = former?.data.node === node ? former.data : { node };
    const type = node.type === "note" ? "note" : "card";
    const { id, position } = node;
    return { ...former, id, type, position, data, selected, domAttributes, ariaLabel, ariaRole: "article" };
  });
}

/** The name of a node for screen readers. */
export function nameOf(node: GraphNode, catalogue: Catalogue | undefined): string {
  return `${catalogue?.get(node.type)?.label ?? node.type} ${node.id}`;
}

function isAt(flow: FlowNode, node: GraphNode): boolean {
  return flow.position.x === node.position.x && flow.position.y === node.position.y;
}

export function flowEdges(
  edges: readonly GraphEdge[],
  types: ReadonlyMap<string, string>,
  selection: ReadonlySet<string>,
  before: readonly FlowEdge[],
): FlowEdge[] {
  const known = new Map(before.map((each) => [each.id, each]));
  return edges.map((edge) => {
    const former = known.get(edge.id);
    const selected = selection.has(edge.id);
    const of = types.get(edge.source) ?? "";
    if (former?.data?.edge === edge && former.selected === selected && former.data.of === of) return former;
    const ariaLabel = `Wire from ${edge.source}, ${edge.sourceHandle}, to ${edge.target}, ${edge.targetHandle}`;
    // Only the ends of a chosen wire can be dragged to other sockets.
    return { ...edge, type: "wire", data: { edge, of }, selected, reconnectable: selected, ariaLabel, ariaRole: "group" };
  });
}
