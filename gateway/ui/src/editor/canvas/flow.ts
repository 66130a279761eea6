/** The document in the words of React Flow. Nodes and edges that did not change keep their objects. */

import type { Edge, Node } from "@xyflow/react";
import type { GraphEdge, GraphNode } from "../../api/types";

export type FlowNode = Node<{ node: GraphNode }, "card" | "note">;
/** `of` is the type of the node that the wire comes from. */
export type FlowEdge = Edge<{ edge: GraphEdge; of: string }, "wire">;

export function flowNodes(
  nodes: readonly GraphNode[],
  selection: ReadonlySet<string>,
  before: readonly FlowNode[],
): FlowNode[] {
  const known = new Map(before.map((each) => [each.id, each]));
  return nodes.map((node) => {
    const former = known.get(node.id);
    const selected = selection.has(node.id);
    if (former?.data.node === node && former.selected === selected && isAt(former, node)) return former;
    const data = former?.data.node === node ? former.data : { node };
    const type = node.type === "note" ? "note" : "card";
    return { ...former, id: node.id, type, position: node.position, data, selected };
  });
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
    return { ...edge, type: "wire", data: { edge, of }, selected };
  });
}
