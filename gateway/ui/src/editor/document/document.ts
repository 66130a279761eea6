/** The document as the editor holds it. It is never changed in place: each edit makes a new one that shares the rest. */

import type { Draft, GraphNode } from "../../api/types";

/** Nodes that belong together, with a title; the frame around them follows their positions. */
export interface Group {
  id: string;
  title: string;
  nodes: string[];
}

/** Data of the canvas that runs do not read, at most 64 KiB as JSON. */
export interface EditorData {
  groups?: Group[];
  [name: string]: unknown;
}

const MEMBERS = [
  "name",
  "description",
  "tags",
  "nodes",
  "edges",
  "viewport",
  "publicPlayground",
  "isTemplate",
  "folderId",
  "cover",
  "hidden",
  "archived",
  "recordValues",
  "editor",
] as const satisfies readonly (keyof Draft)[];

/** The members of a workflow that a draft carries. */
export type EditorDocument = Pick<Draft, (typeof MEMBERS)[number]> & { editor: EditorData };

export type Point = GraphNode["position"];

/** Take the members of a draft from an answer of the API, which has more. */
export function documentOf(answer: EditorDocument): EditorDocument {
  return Object.fromEntries(MEMBERS.map((name) => [name, answer[name]])) as unknown as EditorDocument;
}

/** An id that is not taken: the stem itself, or with the first free number. */
export function freeId(stem: string, taken: { has(id: string): boolean }): string {
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number++) {
    if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
  }
}

export function groupsOf(document: EditorDocument): Group[] {
  return document.editor.groups ?? [];
}
