/** Checks of the document by the API while one draws. */

import { call, secondsToWait } from "../../api/client";
import type { Check as Answer } from "../../api/types";
import { watchSaves } from "../../api/live";
import { calls } from "../settings/calls/callee";
import type { EditorStore } from "../document/store";
import { keepSame } from "./check";

const PAUSE_MS = 120;

/** Check the document now and after each change of its graph, until the returned function is called. */
export function keepChecked(store: EditorStore): () => void {
  let timer = 0;
  let isRunning = false;
  /** Time before which the server takes no check, as it said. */
  let notBefore = 0;
  let checked: { nodes: unknown; edges: unknown } | null = null;
  const check = async (): Promise<void> => {
    const { nodes, edges } = store.document;
    if (isRunning || !navigator.onLine || (checked?.nodes === nodes && checked.edges === edges)) return;
    isRunning = true;
    try {
      const answer = await call<Answer>("POST", "/api/workflows/check", { nodes, edges });
      checked = { nodes, edges };
      store.set({ check: { ...keepSame(store.get().check, answer), nodes } });
    } catch (error) {
      // The state of saving shows that the server is away; the last answer stays until the server is back.
      const seconds = secondsToWait(error);
      if (seconds === null) checked = { nodes, edges };
      else notBefore = Date.now() + seconds * 1000;
    }
    isRunning = false;
    const isChecked = checked?.nodes === store.document.nodes && checked.edges === store.document.edges;
    if (!isChecked) later();
  };
  const later = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void check(), Math.max(PAUSE_MS, notBefore - Date.now()));
  };
  // The sockets of a node that calls a workflow are those of its live version.
  const stopWatching = watchSaves((row) => {
    if (row !== null && !calls(store.document.nodes, row.slug)) return;
    checked = null;
    later();
  });
  let seen = store.document;
  const unsubscribe = store.subscribe(() => {
    if (store.document === seen) return;
    seen = store.document;
    later();
  });
  addEventListener("online", later);
  void check();
  return () => {
    clearTimeout(timer);
    removeEventListener("online", later);
    stopWatching();
    unsubscribe();
  };
}
