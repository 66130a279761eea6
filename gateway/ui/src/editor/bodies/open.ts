/** The graph that is open on the canvas: the workflow, or one inside of its nodes. The address of the page names it. */

import { useMemo } from "react";
import { setParameters, useParameter } from "../../shell/router";
import { type EditorStore, useEditor, useStore } from "../document/store";
import { resolved } from "./body";
import { storeAt } from "./bodyStore";

const PATH = "in";
/** Execution of the item that is shown on the graph. */
export const ITEM = "item";

function write(path: readonly string[]): string {
  return path.map(encodeURIComponent).join("/");
}

function parse(text: string): string[] {
  return text.split("/").filter(Boolean).map(decodeURIComponent);
}

/** Open the graph at a path on the canvas, with the run of an item or at a node; the browser's way back leads back. */
export function openGraph(path: readonly string[], at: { item?: string; node?: string } = {}): void {
  setParameters({ [PATH]: write(path), [ITEM]: at.item ?? "", node: at.node ?? "" }, true);
}

/** The path of the open graph; read below the store of the workflow. */
export function useOpenPath(): string[] {
  const [asked] = useParameter(PATH, "");
  const found = useEditor((state) => write(resolved(state.history.present, parse(asked))));
  return useMemo(() => parse(found), [found]);
}

/** The store of the open graph; read below the store of the workflow. */
export function useOpenStore(): EditorStore {
  return storeAt(useStore(), useOpenPath());
}
