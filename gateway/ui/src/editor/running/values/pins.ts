/** Pins: outputs that a node gives in runs of the draft without running. They are kept in the data of the canvas. */

import type { EditorDocument } from "../../document/document";
import type { Edit } from "../../document/edits";

/** Values by node and output socket. */
export type Pins = Record<string, Record<string, unknown>>;

const NO_PINS: Pins = {};

/** The pins of nodes that the document has. */
export function pinsOf(document: EditorDocument): Pins {
  const { pinned } = document.editor;
  if (!pinned || typeof pinned !== "object") return NO_PINS;
  const ids = new Set(document.nodes.map((node) => node.id));
  return Object.fromEntries(Object.entries(pinned as Pins).filter(([id]) => ids.has(id)));
}

export function isPinned(document: EditorDocument, id: string): boolean {
  return Boolean((document.editor.pinned as Pins | undefined)?.[id]);
}

/** Pin the outputs of nodes; null takes a pin away. */
export function pin(values: Record<string, Record<string, unknown> | null>): Edit {
  return (document) => {
    const pinned: Pins = { ...(document.editor.pinned as Pins | undefined) };
    for (const [id, outputs] of Object.entries(values)) {
      if (outputs) pinned[id] = outputs;
      else delete pinned[id];
    }
    const { pinned: _, ...others } = document.editor;
    return { ...document, editor: Object.keys(pinned).length > 0 ? { ...others, pinned } : others };
  };
}
