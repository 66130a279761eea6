/** Parts of documents that are copied and pasted, also between workflows. */

import type { GraphEdge, GraphNode } from "../../api/types";
import { type EditorDocument, freeId, type Group, groupsOf, type Point } from "./document";
import { type Edit, nodeIds, onGrid } from "./edits";

export interface Part {
  nodes: GraphNode[];
  edges: GraphEdge[];
  groups: Group[];
}

/** The chosen nodes, with the edges between them and the groups that are chosen as a whole. */
export function partOf(document: EditorDocument, ids: ReadonlySet<string>): Part {
  return {
    nodes: document.nodes.filter((node) => ids.has(node.id)),
    edges: document.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target)),
    groups: groupsOf(document).filter((group) => group.nodes.every((id) => ids.has(id))),
  };
}

/** The part as text for the clipboard; a document of the API reads the same. */
export function write(part: Part): string {
  const { nodes, edges, groups } = part;
  return JSON.stringify({ headrace: "part", nodes, edges, editor: { groups } }, null, 2);
}

function isNode(value: unknown): value is GraphNode {
  const node = value as GraphNode | null;
  return typeof node?.id === "string" && typeof node.type === "string";
}

function isEdge(value: unknown): value is GraphEdge {
  const edge = value as Record<keyof GraphEdge, unknown> | null;
  return [edge?.source, edge?.target, edge?.sourceHandle, edge?.targetHandle].every((each) => typeof each === "string");
}

function isGroup(value: unknown): value is Group {
  const group = value as Group | null;
  return typeof group?.title === "string" && Array.isArray(group.nodes);
}

/** Read a part, a whole workflow or a plain graph; null where the text is none of them. */
export function parsePart(text: string): Part | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const part = value as { nodes?: unknown; edges?: unknown; editor?: { groups?: unknown } } | null;
  if (!Array.isArray(part?.nodes) || part.nodes.length === 0 || !part.nodes.every(isNode)) return null;
  const nodes = part.nodes.map((node, place) => ({
    ...node,
    position: pointOf(node.position) ?? { x: (place % 5) * 280, y: Math.floor(place / 5) * 200 },
    data: typeof node.data === "object" && node.data ? node.data : {},
  }));
  const edges = Array.isArray(part.edges) ? part.edges.filter(isEdge) : [];
  const groups = part.editor?.groups;
  return { nodes, edges, groups: Array.isArray(groups) ? groups.filter(isGroup) : [] };
}

function pointOf(value: unknown): Point | null {
  const { x, y } = (value ?? {}) as Record<string, unknown>;
  return Number.isFinite(x) && Number.isFinite(y) ? { x: x as number, y: y as number } : null;
}

/** The part with ids that are free in a document, moved so that its upper left corner is at a point. */
export function fresh(part: Part, document: EditorDocument, at: Point): Part {
  const taken = nodeIds(document);
  const ids = new Map<string, string>();
  for (const node of part.nodes) {
    const id = freeId(stemOf(node.id, taken), taken);
    taken.add(id);
    ids.set(node.id, id);
  }
  const left = Math.min(...part.nodes.map((node) => node.position.x));
  const top = Math.min(...part.nodes.map((node) => node.position.y));
  const renamed = (id: string): string => ids.get(id) ?? "";
  const takenEdges = new Set(document.edges.map((edge) => edge.id));
  const takenGroups = new Set(groupsOf(document).map((group) => group.id));
  return {
    nodes: part.nodes.map((node) => ({
      ...node,
      id: renamed(node.id),
      position: onGrid({ x: node.position.x - left + at.x, y: node.position.y - top + at.y }),
    })),
    edges: part.edges
      .filter((edge) => ids.has(edge.source) && ids.has(edge.target))
      .map(({ sourceHandle, targetHandle, ...edge }) => {
        const [source, target] = [renamed(edge.source), renamed(edge.target)];
        const id = freeId(`${source}-${target}`, takenEdges);
        takenEdges.add(id);
        return { id, source, target, sourceHandle, targetHandle };
      }),
    groups: part.groups
      .map((group) => ({ ...group, nodes: group.nodes.filter((id) => ids.has(id)).map(renamed) }))
      .filter((group) => group.nodes.length > 0)
      .map((group) => {
        const id = freeId("group", takenGroups);
        takenGroups.add(id);
        return { ...group, id };
      }),
  };
}

/** The id without its number where the id is taken, so that copies count on: `text-2`, not `text-2-2`. */
function stemOf(id: string, taken: ReadonlySet<string>): string {
  return taken.has(id) ? id.replace(/-\d+$/, "") || id : id;
}

export function insert(part: Part): Edit {
  return (document) => ({
    ...document,
    nodes: [...document.nodes, ...part.nodes],
    edges: [...document.edges, ...part.edges],
    editor:
      part.groups.length > 0
        ? { ...document.editor, groups: [...groupsOf(document), ...part.groups] }
        : document.editor,
  });
}
