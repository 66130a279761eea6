/** Differences in words: an entry for each node, wire and member that is added, removed or changed. */

import type { GraphEdge, GraphNode } from "../../api/types";
import { BODY, bodyOf, documentInside } from "../bodies/body";
import type { Catalogue, SettingSchema } from "../catalogue/catalogue";
import { type Change, difference, fieldChanges } from "../document/difference";
import type { EditorDocument } from "../document/document";
import { durationInWords } from "../settings/waits/durations";
import { choiceInWords } from "../settings/widgets/choices";

export type Kind = "added" | "removed" | "changed";

export interface FieldWords {
  label: string;
  before: unknown;
  after: unknown;
}

export interface Entry {
  key: string;
  kind: Kind;
  title: string;
  /** Id of the node, which may be shown on the canvas. */
  node: string | null;
  fields: FieldWords[];
}

export interface Words {
  nodes: Entry[];
  wires: Entry[];
  members: Entry[];
  /** Changes of graphs inside of nodes, whose nodes are changed by them. */
  inside: Entry[];
  /** Ids of nodes that were only moved. */
  moved: string[];
}

const MEMBER_LABELS: Record<string, string> = {
  name: "Name",
  description: "Description",
  tags: "Tags",
  publicPlayground: "Public playground",
  isTemplate: "Template",
  folderId: "Folder",
  cover: "Cover",
  hidden: "Hidden",
  archived: "Archived",
  recordValues: "Recorded values",
};

export function memberLabel(name: string): string {
  return MEMBER_LABELS[name] ?? name;
}

export function nodeLabel(catalogue: Catalogue | undefined, node: GraphNode): string {
  return `${catalogue?.get(node.type)?.label ?? node.type} ${node.id}`;
}

export function fieldLabel(catalogue: Catalogue | undefined, node: GraphNode, field: string): string {
  return schemaOf(catalogue, node, field)?.title ?? field;
}

function schemaOf(catalogue: Catalogue | undefined, node: GraphNode, field: string): SettingSchema | undefined {
  return catalogue?.get(node.type)?.settings.properties?.[field];
}

/** The value of a setting as its control shows it. */
function shownValue(schema: SettingSchema | undefined, field: string, value: unknown): unknown {
  if (typeof value === "number" && schema?.["x-widget"] === "duration") return durationInWords(value);
  return typeof value === "string" && schema?.enum ? choiceInWords(field, value) : value;
}

/** Number of changes that people would name; a place on the canvas is none. */
export function countChanges({ nodes, wires, members }: Words): number {
  return nodes.length + wires.length + members.length;
}

export function describe(catalogue: Catalogue | undefined, before: EditorDocument, after: EditorDocument): Words {
  const words: Words = { nodes: [], wires: [], members: [], inside: [], moved: [] };
  for (const change of difference(before, after)) {
    if (change.part === "node") addNode(words, catalogue, change);
    else if (change.part === "edge") words.wires.push(ofWire(change));
    else if (change.part === "member" && change.id in MEMBER_LABELS) words.members.push(ofMember(change));
  }
  return words;
}

function kindOf(change: { before?: unknown; after?: unknown }): Kind {
  if (change.before === undefined) return "added";
  return change.after === undefined ? "removed" : "changed";
}

function addNode(words: Words, catalogue: Catalogue | undefined, change: Change & { part: "node" }): void {
  const { id, before, after } = change;
  const node = after ?? before;
  if (!node) return;
  const changes = before && after ? fieldChanges(before, after) : [];
  const worthNaming = changes.filter((each) => each.isSetting || each.field !== "position");
  if (before && after && worthNaming.length === 0) {
    words.moved.push(id);
    return;
  }
  const isInside = bodyOf(before) !== null && bodyOf(after) !== null;
  if (before && after) addInside(words, catalogue, before, after);
  const shown = worthNaming.filter((each) => !isInside || !each.isSetting || each.field !== BODY);
  const fields = shown.map(({ field, isSetting, before: former, after: latter }) => {
    if (!isSetting) return { label: field, before: former, after: latter };
    const schema = schemaOf(catalogue, node, field);
    return { label: fieldLabel(catalogue, node, field), before: shownValue(schema, field, former), after: shownValue(schema, field, latter) };
  });
  words.nodes.push({ key: `node ${id}`, kind: kindOf(change), title: nodeLabel(catalogue, node), node: id, fields });
}

/** Name the differences between the graphs inside of a node. */
function addInside(words: Words, catalogue: Catalogue | undefined, before: GraphNode, after: GraphNode): void {
  const [former, latter] = [documentInside(before), documentInside(after)];
  if (!former || !latter) return;
  const found = describe(catalogue, former, latter);
  for (const each of [...found.nodes, ...found.wires, ...found.inside]) {
    words.inside.push({ ...each, key: `${after.id} ${each.key}`, title: `${after.id} › ${each.title}`, node: null });
  }
}

function ofWire(change: Change & { part: "edge" }): Entry {
  const { id, before, after } = change;
  const title = wireWords((after ?? before) as GraphEdge);
  return { key: `edge ${id}`, kind: kindOf(change), title, node: null, fields: [] };
}

function wireWords({ source, sourceHandle, target, targetHandle }: GraphEdge): string {
  return `${source} · ${sourceHandle} → ${target} · ${targetHandle}`;
}

function ofMember({ id, before, after }: Change): Entry {
  const label = memberLabel(id);
  return { key: `member ${id}`, kind: "changed", title: label, node: null, fields: [{ label, before, after }] };
}
