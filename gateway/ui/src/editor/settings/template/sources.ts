/** Outputs that may be wired to a node. */

import { useMemo } from "react";
import { type Catalogue, fits, type Socket, type SocketType, type Sockets, socketsOf, useCatalogue } from "../../catalogue/catalogue";
import type { EditorDocument } from "../../document/document";
import { useDocument, useEditor } from "../../document/store";
import { asName } from "./placeholders";

export interface Source {
  node: string;
  output: Socket;
  /** Name that a placeholder for it would have. */
  name: string;
}

/** Ids of the nodes that follow from a node, which would close a loop if wired to it; itself among them. */
function followers(document: EditorDocument, id: string): Set<string> {
  const found = new Set([id]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const edge of document.edges) if (found.has(edge.source)) found.add(edge.target);
  }
  return found;
}

function sourcesOf(
  document: EditorDocument,
  id: string,
  checked: Record<string, Sockets>,
  catalogue: Catalogue | undefined,
): Source[] {
  const behind = followers(document, id);
  return document.nodes
    .filter((node) => !behind.has(node.id))
    .flatMap((node) => {
      const { outputs } = socketsOf(node, checked, catalogue);
      // Outputs of forms are named by people; others are best told by their nodes.
      const isForm = node.type === "requestInput";
      return outputs.map((output) => {
        const stem = output.name.replace(/-out$/, "");
        const name = isForm ? stem : outputs.length === 1 ? node.id : `${node.id}_${stem}`;
        return { node: node.id, output, name: asName(name) };
      });
    });
}

/** The outputs that may be wired to a node now. */
export function useSources(id: string): Source[] {
  const document = useDocument();
  const catalogue = useCatalogue();
  const checked = useEditor((state) => state.check.sockets);
  return useMemo(() => sourcesOf(document, id, checked, catalogue), [document, id, checked, catalogue]);
}

/** The outputs that a placeholder most likely means: those of its name, else those of texts. */
export function candidates(sources: readonly Source[], name: string, type: SocketType): Source[] {
  const fitting = sources.filter((each) => fits(each.output.type, type));
  const named = fitting.filter((each) => each.name === name || each.output.name === name);
  if (named.length > 0) return named;
  const alike = fitting.filter((each) => each.output.type === (type === "any" ? "text" : type));
  return alike.length > 0 ? alike : fitting;
}
