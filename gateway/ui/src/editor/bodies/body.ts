/** Graphs inside of nodes: the part of a workflow that a node runs for each item. */

import type { GraphEdge, GraphNode, GraphProblem } from "../../api/types";
import { type Check, NOT_CHECKED } from "../catalogue/check";
import type { EditorDocument, Point } from "../document/document";
import { type Edit, setSetting } from "../document/edits";

/** Setting of a node that has a graph. */
export const BODY = "body";

export interface Body {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** Between the columns of nodes, with room for wires. */
const COLUMN = 320;
const NONE: Body = { nodes: [], edges: [] };

const known = new WeakMap<object, Body | null>();

/** The graph of a node, the same object at each call; null where it has none. */
export function bodyOf(node: Pick<GraphNode, "data"> | undefined): Body | null {
  const raw = node?.data?.[BODY];
  if (typeof raw !== "object" || raw === null) return null;
  let body = known.get(raw);
  if (body === undefined) {
    body = completed(raw);
    known.set(raw, body);
  }
  return body;
}

/** A graph with the members that one written by hand may lack. */
function completed(raw: Partial<Body>): Body | null {
  if (!Array.isArray(raw.nodes) || !Array.isArray(raw.edges)) return null;
  if (raw.nodes.every((node) => node?.data && node.position) && raw.edges.every((edge) => edge?.id)) return raw as Body;
  const nodes = raw.nodes
    .filter((node) => typeof node?.id === "string")
    .map((node, place) => ({ ...node, data: node.data ?? {}, position: node.position ?? { x: place * COLUMN, y: 0 } }));
  const edges = raw.edges.map((edge, place) => ({ ...edge, id: edge.id ?? `${edge.source}-${edge.target}-${place}` }));
  return { ...raw, nodes, edges };
}

/** The graph of a node as a document: with the other members of the workflow, without groups. */
export function viewOf(document: EditorDocument, nodeId: string): EditorDocument {
  const { nodes, edges } = bodyOf(document.nodes.find((each) => each.id === nodeId)) ?? NONE;
  return { ...document, nodes, edges, editor: {} };
}

/** The graph inside of a node as a document without other members; null where it has none. */
export function documentInside(node: GraphNode): EditorDocument | null {
  const body = bodyOf(node);
  return body && ({ nodes: body.nodes, edges: body.edges, editor: {} } as unknown as EditorDocument);
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

/** The part of a check that is about the graph of a node: places are as in that graph. */
export function checkInside(check: Check, nodeId: string): Check {
  const problems = check.problems.flatMap(({ path = [], ...problem }) => {
    const [outer, ...rest] = path;
    if (outer !== nodeId) return [];
    const { nodeId: _, ...place } = problem;
    const [inner] = rest;
    return [{ ...place, ...(inner !== undefined && { nodeId: inner }), ...(rest.length > 1 && { path: rest }) }];
  });
  const sockets = (check.sockets[nodeId]?.body ?? {}) as Check["sockets"];
  const nodes = bodyOf(check.nodes?.find((each) => each.id === nodeId))?.nodes;
  return { problems, sockets, estimate: NOT_CHECKED.estimate, ...(nodes && { nodes }) };
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

/** The place of a problem: the path of its graph, and the id of the node or edge; none where it is about a whole graph. */
export function placeOf(graph: Body, { nodeId, edgeId, path }: GraphProblem): { graph: string[]; id: string | undefined } {
  if (!path) return { graph: [], id: nodeId ?? edgeId };
  const isOfGraph = edgeId === undefined ? path.length === 1 : bodyAt(graph, path)?.edges.some((edge) => edge.id === edgeId);
  return isOfGraph ? { graph: path, id: edgeId } : { graph: path.slice(0, -1), id: path.at(-1) };
}

const FORM: Point = { x: 0, y: 0 };
const RESULT: Point = { x: 2 * COLUMN, y: 0 };

/** The graph that a new node begins with: it takes an item, and nothing is drawn between that and the result. */
export function newBody(): Body {
  const fields = [{ name: "item", type: "json", label: "Item", required: true }];
  return {
    nodes: [
      { id: "item", type: "requestInput", position: FORM, data: { fields } },
      { id: "result", type: "responseOutput", position: RESULT, data: {} },
    ],
    edges: [],
  };
}
