/** Merging of documents: changes that were made to one are made to another. Pure functions. */

import type { GraphEdge, GraphNode } from "../../api/types";
import { BODY, type Body, bodyOf, documentInside } from "../bodies/body";
import { type Change, difference, fieldChanges, memberOf, same } from "./difference";
import { type EditorDocument, freeId, type Group, groupsOf } from "./document";
import type { History } from "./history";

/** A setting that both sides changed differently, or a node that one side removed and the other changed. */
export interface Clash {
  part: Change["part"];
  id: string;
  /** The setting of the node or its other member; null where the whole part is meant. */
  field: string | null;
  isSetting: boolean;
  /** The value of the changes. */
  change: unknown;
  /** The value of the document. */
  document: unknown;
}

export interface Applied {
  document: EditorDocument;
  clashes: Clash[];
}

/** The parts of a document while changes are made to it. */
class Parts {
  readonly node: Map<string, GraphNode>;
  readonly edge: Map<string, GraphEdge>;
  readonly group: Map<string, Group>;
  readonly member: Map<string, unknown>;
  readonly editor: Map<string, unknown>;
  private readonly document: EditorDocument;
  private readonly touched = new Set<Change["part"]>();

  constructor(document: EditorDocument) {
    const { groups: _, ...editor } = document.editor;
    this.document = document;
    this.node = new Map(document.nodes.map((each) => [each.id, each]));
    this.edge = new Map(document.edges.map((each) => [each.id, each]));
    this.group = new Map(groupsOf(document).map((each) => [each.id, each]));
    this.member = new Map(Object.entries(document));
    this.editor = new Map(Object.entries(editor));
  }

  set(part: Change["part"], id: string, value: unknown): void {
    const values = this[part] as Map<string, unknown>;
    if (value === undefined ? !values.has(id) : values.get(id) === value) return;
    this.touched.add(part);
    if (value === undefined) values.delete(id);
    else values.set(id, value);
  }

  /** Remove wires and places in groups whose node is not there. */
  removeDangling(): void {
    if (!this.touched.has("node") && !this.touched.has("edge") && !this.touched.has("group")) return;
    for (const edge of this.edge.values()) {
      if (!this.node.has(edge.source) || !this.node.has(edge.target)) this.set("edge", edge.id, undefined);
    }
    for (const group of this.group.values()) {
      const nodes = group.nodes.filter((id) => this.node.has(id));
      if (nodes.length === 0) this.set("group", group.id, undefined);
      else if (nodes.length < group.nodes.length) this.set("group", group.id, { ...group, nodes });
    }
  }

  build(): EditorDocument {
    if (this.touched.size === 0) return this.document;
    const made = { ...this.document };
    if (this.touched.has("member")) Object.assign(made, Object.fromEntries(this.member));
    made.nodes = this.touched.has("node") ? [...this.node.values()] : this.document.nodes;
    made.edges = this.touched.has("edge") ? [...this.edge.values()] : this.document.edges;
    made.editor = this.document.editor;
    if (this.touched.has("group") || this.touched.has("editor")) {
      made.editor = Object.fromEntries(this.editor);
      if (this.group.size > 0 || this.document.editor.groups) made.editor.groups = [...this.group.values()];
    }
    return made;
  }
}

/**
 * Make changes to a document that may have moved on since. Where both changed the same setting differently, the result
 * has the value of the changes, or that of the document with `keep: "document"`; each clash names both.
 */
export function apply(document: EditorDocument, changes: readonly Change[], keep: "change" | "document" = "change"): Applied {
  const parts = new Parts(document);
  const clashes: Clash[] = [];
  const stayed = new Set<string>();
  for (const change of changes) {
    const { part, id, before, after } = change;
    const now = (parts[part] as Map<string, unknown>).get(id);
    if (same(now, after)) continue;
    if (same(now, before)) {
      if (part !== "edge" || after !== undefined || !isHeld(before as GraphEdge, stayed, parts)) parts.set(part, id, after);
    } else if (part === "node" && now && after && before) {
      parts.set(part, id, mergeNode(now as GraphNode, before as GraphNode, after as GraphNode, keep, clashes));
    } else if (isLayout(change, now)) {
      // A part that one side removed stays removed, though the other side moved it.
      if (after === undefined || (now !== undefined && keep === "change")) parts.set(part, id, after);
    } else {
      clashes.push({ part, id, field: null, isSetting: false, change: after, document: now });
      if (keep === "change") parts.set(part, id, after);
      else if (now) stayed.add(id);
    }
  }
  parts.removeDangling();
  return { document: parts.build(), clashes };
}

/** Whether a wire stays because its node, which one side removed and the other changed, stays for now. */
function isHeld(edge: GraphEdge, stayed: ReadonlySet<string>, parts: Parts): boolean {
  const isOfThat = stayed.has(edge.source) || stayed.has(edge.target);
  return isOfThat && parts.node.has(edge.source) && parts.node.has(edge.target);
}

/** Whether nobody needs to choose: for positions, and for the removal of a node that was only moved. */
function isLayout({ part, id, before, after }: Change, now: unknown): boolean {
  if (part === "group" || part === "editor" || part === "edge" || id === "viewport") return true;
  if (part !== "node" || (now && after)) return false;
  const left = (now ?? after) as GraphNode | undefined;
  return left === undefined || (before !== undefined && fieldChanges(before as GraphNode, left).every(isPlace));
}

function isPlace({ field, isSetting }: { field: string; isSetting: boolean }): boolean {
  return field === "position" && !isSetting;
}

function mergeNode(
  now: GraphNode,
  before: GraphNode,
  after: GraphNode,
  keep: "change" | "document",
  clashes: Clash[],
): GraphNode {
  let node = now;
  for (const change of fieldChanges(before, after)) {
    const { field, isSetting } = change;
    const value = memberOf(isSetting ? now.data : now, field);
    if (same(value, change.after)) continue;
    const inside = isSetting && field === BODY ? mergeInside(now, before, after) : null;
    if (inside) {
      node = withField(node, field, isSetting, inside);
      continue;
    }
    const isOurs = same(value, change.before);
    if (!isOurs && !isPlace(change)) {
      clashes.push({ part: "node", id: now.id, field, isSetting, change: change.after, document: value });
    }
    if (isOurs || keep === "change") node = withField(node, field, isSetting, change.after);
  }
  return node;
}

/** Make changes of the graph inside of a node; null where it is not on all sides, or where somebody has to choose. */
function mergeInside(now: GraphNode, before: GraphNode, after: GraphNode): Body | null {
  const [present, former, latter] = [now, before, after].map(documentInside);
  if (!present || !former || !latter) return null;
  const { document, clashes } = apply(present, difference(former, latter));
  return clashes.length > 0 ? null : { ...bodyOf(now), nodes: document.nodes, edges: document.edges };
}

function withField(node: GraphNode, field: string, isSetting: boolean, value: unknown): GraphNode {
  if (!isSetting) return { ...node, [field]: value };
  const data = { ...node.data, [field]: value };
  if (value === undefined) delete data[field];
  return { ...node, data };
}

/** New ids for nodes and edges that were added under one id on both sides. */
export interface Renamed {
  nodes: ReadonlyMap<string, string>;
  edges: ReadonlyMap<string, string>;
}

/** Find nodes and edges that changes add under an id that the document has given to another; `others` have ids too. */
export function collisions(
  document: EditorDocument,
  changes: readonly Change[],
  others: readonly EditorDocument[] = [],
): Renamed {
  const find = (part: "node" | "edge", itemsOf: (document: EditorDocument) => readonly { id: string }[]): Map<string, string> => {
    const known = new Map(itemsOf(document).map((each) => [each.id, each]));
    const names = new Map<string, string>();
    const isCollision = ({ part: of, id, before, after }: Change): boolean =>
      of === part && before === undefined && after !== undefined && known.has(id) && !same(known.get(id), after);
    const renamedChanges = changes.filter(isCollision);
    if (renamedChanges.length === 0) return names;
    const taken = new Set([...known.keys(), ...changes.map((each) => each.id), ...others.flatMap(itemsOf).map((each) => each.id)]);
    for (const { id } of renamedChanges) {
      const name = freeId(id, taken);
      taken.add(name);
      names.set(id, name);
    }
    return names;
  };
  return { nodes: find("node", ({ nodes }) => nodes), edges: find("edge", ({ edges }) => edges) };
}

/** Give nodes and edges their new ids, wherever the document names them. */
export function rename(document: EditorDocument, renamed: Renamed): EditorDocument {
  const { nodes, edges } = renamed;
  if (nodes.size === 0 && edges.size === 0) return document;
  return {
    ...document,
    nodes: document.nodes.map((each) => renameNode(each, renamed)),
    edges: document.edges.map((each) => renameEdge(each, renamed)),
    editor: document.editor.groups
      ? { ...document.editor, groups: groupsOf(document).map((each) => renameGroup(each, renamed)) }
      : document.editor,
  };
}

/** Give the parts that changes add their new ids. */
export function renameChanges(changes: readonly Change[], renamed: Renamed): Change[] {
  return changes.map((change): Change => {
    if (change.part === "node" && !change.before && change.after) {
      const after = renameNode(change.after, renamed);
      return { ...change, id: after.id, after };
    }
    if (change.part === "edge" && !change.before && change.after) {
      const after = renameEdge(change.after, renamed);
      return { ...change, id: after.id, after };
    }
    return change.part === "group" && change.after ? { ...change, after: renameGroup(change.after, renamed) } : change;
  });
}

function renameNode(node: GraphNode, { nodes }: Renamed): GraphNode {
  const id = nodes.get(node.id);
  return id === undefined ? node : { ...node, id };
}

function renameEdge(edge: GraphEdge, { nodes, edges }: Renamed): GraphEdge {
  if (!edges.has(edge.id) && !nodes.has(edge.source) && !nodes.has(edge.target)) return edge;
  const [source, target] = [nodes.get(edge.source) ?? edge.source, nodes.get(edge.target) ?? edge.target];
  return { ...edge, id: edges.get(edge.id) ?? edge.id, source, target };
}

function renameGroup(group: Group, { nodes }: Renamed): Group {
  return { ...group, nodes: group.nodes.map((id) => nodes.get(id) ?? id) };
}

/** A choice between two values, until somebody makes it. */
export interface Conflict extends Omit<Clash, "change" | "document"> {
  mine: unknown;
  theirs: unknown;
}

export interface Merge {
  /** Applies their changes to a document of ours: the present one, and those that undo and redo lead to. */
  carry: (document: EditorDocument) => EditorDocument;
  /** Where both changed the same; `carry` keeps ours there. */
  conflicts: Conflict[];
  renamed: Renamed;
}

/** Merge the changes of others since `base` into the present document, and into those that undo and redo lead to. */
export function merge(
  base: EditorDocument,
  { past, present: mine, future }: History<EditorDocument>,
  theirs: EditorDocument,
): Merge {
  const changes = difference(base, theirs);
  const renamed = collisions(mine, changes, [...past, ...future]);
  const carry = (document: EditorDocument): EditorDocument =>
    document === base ? theirs : apply(rename(document, renamed), changes, "document").document;
  const { clashes } = apply(rename(mine, renamed), changes, "document");
  const conflicts = clashes.map(({ change, document, ...place }) => ({ ...place, mine: document, theirs: change }));
  return { carry, conflicts, renamed };
}

/** Take their side of a conflict; `theirs` is their document. */
export function takeTheirs(document: EditorDocument, theirs: EditorDocument, conflict: Conflict): EditorDocument {
  const { part, id, field, isSetting } = conflict;
  const parts = new Parts(document);
  const node = parts.node.get(id);
  if (field !== null && node) parts.set("node", id, withField(node, field, isSetting, conflict.theirs));
  else parts.set(part, id, conflict.theirs);
  if (part === "node" && field === null && conflict.theirs) {
    // The node comes back with those of its wires whose other ends are there.
    for (const edge of theirs.edges) {
      if ((edge.source === id || edge.target === id) && !parts.edge.has(edge.id)) parts.set("edge", edge.id, edge);
    }
  }
  parts.removeDangling();
  return parts.build();
}

/** Whether a conflict has gone since, because our value has become theirs. */
export function isSettled(document: EditorDocument, { part, id, field, isSetting, theirs }: Conflict): boolean {
  const value = (new Parts(document)[part] as Map<string, unknown>).get(id);
  if (field === null) return same(value, theirs);
  if (!value) return false;
  return same(memberOf(isSetting ? (value as GraphNode).data : (value as GraphNode), field), theirs);
}

/** Whether a write whose answer was lost has reached the server. */
export function hasArrived(changes: readonly Change[], document: EditorDocument): boolean {
  return changes.length > 0 && apply(document, changes).document === document;
}
