/** Outputs that may be wired to a node. */

import { useMemo } from "react";
import { type Catalogue, fits, wirableOutputs, type Socket, type SocketType, type Sockets, socketsOf, useCatalogue } from "../../catalogue/catalogue";
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
  const reached = new Set([id]);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const edge of document.edges) if (reached.has(edge.source)) reached.add(edge.target);
  }
  return reached;
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
      const outputs = wirableOutputs(node, socketsOf(node, checked, catalogue).outputs);
      // Outputs of forms are named by people; the names of their nodes say most about others.
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

/** The one output that a socket surely means: that of its name; for a socket of a setting, the only one of its type. */
export function meant(fitting: readonly Source[], name: string, type: SocketType): Source | undefined {
  const isSetting = name.endsWith("-in");
  const [only, ...others] = isSetting
    ? fitting.filter((each) => each.output.type === type)
    : fitting.filter((each) => each.name === name || each.output.name === name);
  return others.length === 0 ? only : undefined;
}

/** The outputs that fit a socket, those of its very type first. */
export function fittingOf(sources: readonly Source[], type: SocketType): Source[] {
  const fitting = sources.filter((each) => fits(each.output.type, type));
  const isSame = (each: Source): number => Number(each.output.type === type);
  return fitting.sort((one, other) => isSame(other) - isSame(one));
}
