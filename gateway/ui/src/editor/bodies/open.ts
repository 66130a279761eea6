/** The graph that is open on the canvas: the workflow, or one inside of its nodes. */

import { useMemo } from "react";
import { setParameters, useParameter } from "../../shell/router";
import { type EditorStore, useEditor, useStore } from "../document/store";
import { ITEM, PATH, type Place, parsePath, writePath } from "./address";
import { resolved } from "./body";
import { storeAt } from "./bodyStore";

/** Open the graph at a path on the canvas, with the run of an item or at a node; the browser's way back leads back. */
export function openGraph(path: readonly string[], { item = "", node = "" }: Place = {}): void {
  setParameters({ [PATH]: writePath(path), [ITEM]: item, node }, true);
}

/** The path of the open graph; read below the store of the workflow. */
export function useOpenPath(): string[] {
  const [asked] = useParameter(PATH, "");
  const found = useEditor((state) => writePath(resolved(state.history.present, parsePath(asked))));
  return useMemo(() => parsePath(found), [found]);
}

/** The store of the open graph; read below the store of the workflow. */
export function useOpenStore(): EditorStore {
  return storeAt(useStore(), useOpenPath());
}
