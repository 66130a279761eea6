/** Differences between documents, and their application to another document. */

import type { GraphEdge, GraphNode } from "../../api/types";
import { type EditorDocument, type Group, groupsOf } from "./document";

/** Parts of a document that change by themselves. */
interface Parts {
  node: GraphNode;
  edge: GraphEdge;
  group: Group;
  /** A member of the workflow, such as its name. */
  member: unknown;
  /** A member of the canvas's data. */
  editor: unknown;
}

export type Part = keyof Parts;

/** One part before and after; a side that is `undefined`, or absent as in JSON, does not have it. */
export type Change = { [P in Part]: { part: P; id: string; before?: Parts[P]; after?: Parts[P] } }[Part];

const LISTS = new Set<keyof EditorDocument>(["nodes", "edges", "editor"]);

/** Whether two JSON values are equal, whatever the order of their members. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one).filter((name) => memberOf(one, name) !== undefined);
  const others = Object.keys(other).filter((name) => memberOf(other, name) !== undefined);
  return names.length === others.length && names.every((name) => same(memberOf(one, name), memberOf(other, name)));
}

export function memberOf(value: object | undefined, name: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[name];
}

function byId<T extends { id: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((each) => [each.id, each]));
}

function* listed<T extends { id: string }>(
  before: readonly T[],
  after: readonly T[],
): Generator<{ id: string; before?: T; after?: T }> {
  if (before === after) return;
  const [former, latter] = [byId(before), byId(after)];
  for (const [id, each] of former) {
    const now = latter.get(id);
    if (now === undefined) yield { id, before: each };
    else if (!same(each, now)) yield { id, before: each, after: now };
  }
  for (const [id, each] of latter) if (!former.has(id)) yield { id, after: each };
}

function* named(before: object, after: object): Generator<{ id: string; before?: unknown; after?: unknown }> {
  if (before === after) return;
  for (const id of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [former, latter] = [memberOf(before, id), memberOf(after, id)];
    if (!same(former, latter)) yield { id, before: former, after: latter };
  }
}

/** The parts that differ between two documents. The order of nodes and edges is no difference. */
export function difference(before: EditorDocument, after: EditorDocument): Change[] {
  if (before === after) return [];
  const changes: Change[] = [];
  for (const each of listed(before.nodes, after.nodes)) changes.push({ part: "node", ...each });
  for (const each of listed(before.edges, after.edges)) changes.push({ part: "edge", ...each });
  for (const each of listed(groupsOf(before), groupsOf(after))) changes.push({ part: "group", ...each });
  for (const each of named(before, after)) {
    if (!LISTS.has(each.id as keyof EditorDocument)) changes.push({ part: "member", ...each });
  }
  for (const each of named(before.editor, after.editor)) {
    if (each.id !== "groups") changes.push({ part: "editor", ...each });
  }
  return changes;
}

/** Settings and other members of a node that differ; settings have their own names, the type and position theirs. */
export interface FieldChange {
  field: string;
  isSetting: boolean;
  before: unknown;
  after: unknown;
}

export function fieldChanges(before: GraphNode, after: GraphNode): FieldChange[] {
  const settings = [...named(before.data, after.data)].map(({ id, ...sides }) => ({ field: id, isSetting: true, ...sides }));
  const members = [...named(before, after)]
    .filter(({ id }) => id !== "data")
    .map(({ id, ...sides }) => ({ field: id, isSetting: false, ...sides }));
  return [...settings, ...members].map((each) => ({ before: undefined, after: undefined, ...each }));
}

/** Return `document` with the objects of `known` wherever these are equal, so that changed parts differ by identity. */
export function share(known: EditorDocument, document: EditorDocument): EditorDocument {
  const shared = <T extends { id: string }>(former: readonly T[], latter: readonly T[]): T[] => {
    const items = byId(former);
    const shared = latter.map((each) => {
      const item = items.get(each.id);
      return item && same(item, each) ? item : each;
    });
    return shared.length === former.length && shared.every((each, place) => each === former[place]) ? (former as T[]) : shared;
  };
  return {
    ...document,
    nodes: shared(known.nodes, document.nodes),
    edges: shared(known.edges, document.edges),
    editor: same(known.editor, document.editor) ? known.editor : document.editor,
  };
}
