/** Graphs inside of nodes: the part of a workflow that a node runs for each item. */

import type { GraphEdge, GraphNode } from "../../api/types";
import type { EditorDocument, Point } from "../document/document";
import { type Edit, setSetting } from "../document/edits";

/** Setting of a node that has a graph. */
export const BODY = "body";

export interface Body {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const NONE: Body = { nodes: [], edges: [] };

/** The graph of a node; null where it has none. */
export function bodyOf(node: Pick<GraphNode, "data"> | undefined): Body | null {
  const body = node?.data[BODY] as Partial<Body> | null | undefined;
  if (!body || !Array.isArray(body.nodes) || !Array.isArray(body.edges)) return null;
  return body as Body;
}

/** The graph of a node as a document: with the other members of the workflow, without groups. */
export function viewOf(document: EditorDocument, nodeId: string): EditorDocument {
  const { nodes, edges } = bodyOf(document.nodes.find((each) => each.id === nodeId)) ?? NONE;
  return { ...document, nodes, edges, editor: {} };
}

/** An edit of the graph of a node, as an edit of the document that has the node. */
export function within(nodeId: string, change: Edit): Edit {
  return (document) => {
    const body = bodyOf(document.nodes.find((each) => each.id === nodeId));
    if (!body) return document;
    const view = viewOf(document, nodeId);
    const { nodes, edges } = change(view);
    if (nodes === view.nodes && edges === view.edges) return document;
    return setSetting(nodeId, BODY, { ...body, nodes, edges })(document);
  };
}

/** The graph at the end of a path; null where it is not there. */
export function bodyAt(graph: Body, path: readonly string[]): Body | null {
  return path.reduce<Body | null>((found, id) => bodyOf(found?.nodes.find((each) => each.id === id)), graph);
}

/** As much of a path as leads to graphs that are there. */
export function resolved(document: EditorDocument, path: readonly string[]): string[] {
  const found: string[] = [];
  let nodes: readonly GraphNode[] = document.nodes;
  for (const id of path) {
    const body = bodyOf(nodes.find((each) => each.id === id));
    if (!body) break;
    found.push(id);
    nodes = body.nodes;
  }
  return found;
}

/** Ids of the nodes that lead to the place of a problem, the last of which has it; none for the workflow itself. */
export function innerPath({ nodeId, path }: { nodeId?: string; path?: string[] }): string[] {
  return path ?? (nodeId === undefined ? [] : [nodeId]);
}

/** The node at the end of a path. */
export function nodeAt(document: Pick<EditorDocument, "nodes">, path: readonly string[]): GraphNode | undefined {
  const [first, ...rest] = path;
  const node = document.nodes.find((each) => each.id === first);
  return rest.length === 0 ? node : nodeAt(bodyOf(node) ?? NONE, rest);
}

const FORM: Point = { x: 0, y: 0 };
const RESULT: Point = { x: 640, y: 0 };

/** The graph that a new node begins with: it gives each item as it came. */
export function newBody(): Body {
  const fields = [{ name: "item", type: "json", label: "Item", required: true }];
  return {
    nodes: [
      { id: "form", type: "requestInput", position: FORM, data: { fields } },
      { id: "result", type: "responseOutput", position: RESULT, data: {} },
    ],
    edges: [{ id: "form-result", source: "form", sourceHandle: "item", target: "result", targetHandle: "result-in" }],
  };
}
