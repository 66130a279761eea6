/** Edits of groups. A node is in one group at most. */

import { type EditorDocument, freeId, type Group, groupsOf } from "./document";
import type { Edit } from "./edits";

function withGroups(document: EditorDocument, groups: Group[]): EditorDocument {
  return { ...document, editor: { ...document.editor, groups: groups.filter((group) => group.nodes.length > 0) } };
}

/** Put nodes into a new group, and out of those that they were in. */
export function group(ids: readonly string[], title: string): Edit {
  return (document) => {
    if (ids.length === 0) return document;
    const moved = new Set(ids);
    const former = groupsOf(document);
    const id = freeId("group", new Set(former.map((each) => each.id)));
    const left = former.map((each) => ({ ...each, nodes: each.nodes.filter((node) => !moved.has(node)) }));
    return withGroups(document, [...left, { id, title, nodes: [...ids] }]);
  };
}

export function ungroup(ids: Iterable<string>): Edit {
  const gone = new Set(ids);
  return (document) => {
    const groups = groupsOf(document).filter((each) => !gone.has(each.id));
    return groups.length === groupsOf(document).length ? document : withGroups(document, groups);
  };
}

export function retitle(id: string, title: string): Edit {
  return (document) => {
    const former = groupsOf(document).find((each) => each.id === id);
    if (!former || former.title === title) return document;
    return withGroups(
      document,
      groupsOf(document).map((each) => (each.id === id ? { ...each, title } : each)),
    );
  };
}
