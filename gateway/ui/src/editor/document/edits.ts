/** Edits: functions from a document to the next one. An edit that changes nothing returns the same document. */

import type { GraphEdge, GraphNode } from "../../api/types";
import { type EditorDocument, freeId, groupsOf, type Point } from "./document";

export type Edit = (document: EditorDocument) => EditorDocument;
export type Wire = Omit<GraphEdge, "id">;

const GRID = 8;

export function nodeIds(document: EditorDocument): Set<string> {
  return new Set(document.nodes.map((node) => node.id));
}

function edgeIds(document: EditorDocument): Set<string> {
  return new Set(document.edges.map((edge) => edge.id));
}

/** Round to the grid, so that nodes placed by hand line up. */
export function onGrid({ x, y }: Point): Point {
  return { x: Math.round(x / GRID) * GRID, y: Math.round(y / GRID) * GRID };
}

export function addNode(node: GraphNode): Edit {
  return (document) => ({ ...document, nodes: [...document.nodes, node] });
}

/** Add an edge. An input that takes one wire loses its former one. */
export function connect(wire: Wire, takesMany: boolean): Edit {
  return (document) => {
    const isSame = (edge: GraphEdge): boolean =>
      edge.source === wire.source &&
      edge.sourceHandle === wire.sourceHandle &&
      edge.target === wire.target &&
      edge.targetHandle === wire.targetHandle;
    if (document.edges.some(isSame)) return document;
    const isReplaced = (edge: GraphEdge): boolean =>
      !takesMany && edge.target === wire.target && edge.targetHandle === wire.targetHandle;
    const others = document.edges.filter((edge) => !isReplaced(edge));
    const id = freeId(`${wire.source}-${wire.target}`, edgeIds(document));
    return { ...document, edges: [...others, { id, ...wire }] };
  };
}

/** Remove nodes with their wires, and edges. */
export function remove(nodes: Iterable<string>, edges: Iterable<string> = []): Edit {
  const goneNodes = new Set(nodes);
  const goneEdges = new Set(edges);
  return (document) => {
    const keptNodes = document.nodes.filter((node) => !goneNodes.has(node.id));
    const keptEdges = document.edges.filter(
      (edge) => !goneEdges.has(edge.id) && !goneNodes.has(edge.source) && !goneNodes.has(edge.target),
    );
    if (keptNodes.length === document.nodes.length && keptEdges.length === document.edges.length) return document;
    const groups = groupsOf(document)
      .map((group) => ({ ...group, nodes: group.nodes.filter((id) => !goneNodes.has(id)) }))
      .filter((group) => group.nodes.length > 0);
    const editor = document.editor.groups ? { ...document.editor, groups } : document.editor;
    return { ...document, nodes: keptNodes, edges: keptEdges, editor };
  };
}

export function move(positions: ReadonlyMap<string, Point>): Edit {
  return (document) => {
    let isMoved = false;
    const nodes = document.nodes.map((node) => {
      const to = positions.get(node.id);
      if (!to || (to.x === node.position.x && to.y === node.position.y)) return node;
      isMoved = true;
      return { ...node, position: to };
    });
    return isMoved ? { ...document, nodes } : document;
  };
}

/** Replace the settings of a node. */
export function setData(id: string, data: GraphNode["data"]): Edit {
  return (document) => ({
    ...document,
    nodes: document.nodes.map((node) => (node.id === id ? { ...node, data } : node)),
  });
}

/** Set one setting of a node; `undefined` removes it. */
export function setSetting(id: string, name: string, value: unknown): Edit {
  return (document) => {
    const node = document.nodes.find((each) => each.id === id);
    if (!node || node.data[name] === value) return document;
    const data = { ...node.data, [name]: value };
    if (value === undefined) delete data[name];
    return setData(id, data)(document);
  };
}

/** Give a node another id; wires and groups follow. */
export function rename(from: string, to: string): Edit {
  return (document) => {
    const ids = nodeIds(document);
    if (from === to || !ids.has(from) || ids.has(to)) return document;
    const renamed = (id: string): string => (id === from ? to : id);
    const isTouched = (edge: GraphEdge): boolean => edge.source === from || edge.target === from;
    const groups = document.editor.groups?.map((group) =>
      group.nodes.includes(from) ? { ...group, nodes: group.nodes.map(renamed) } : group,
    );
    return {
      ...document,
      nodes: document.nodes.map((node) => (node.id === from ? { ...node, id: to } : node)),
      edges: document.edges.map((edge) =>
        isTouched(edge) ? { ...edge, source: renamed(edge.source), target: renamed(edge.target) } : edge,
      ),
      editor: groups ? { ...document.editor, groups } : document.editor,
    };
  };
}

/** Let an edge lead to or from another socket of the same nodes. */
export function rewire(id: string, handles: Partial<Pick<GraphEdge, "sourceHandle" | "targetHandle">>): Edit {
  return (document) => ({
    ...document,
    edges: document.edges.map((edge) => (edge.id === id ? { ...edge, ...handles } : edge)),
  });
}

/** One edit of several. */
export function all(...edits: readonly Edit[]): Edit {
  return (document) => edits.reduce((done, edit) => edit(done), document);
}
