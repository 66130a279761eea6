/** Layout of the graph from left to right, worked out beside the page, so that nothing stops meanwhile. */

import type { GraphEdge } from "../../api/types";
import type { Box } from "../document/arrange";
import type { Point } from "../document/document";

export interface LayoutTask {
  boxes: readonly Box[];
  edges: readonly Pick<GraphEdge, "source" | "target">[];
}

export type LayoutAnswer = [string, Point][];

/** Positions along the graph; the upper left corner stays. */
export function tidied(boxes: readonly Box[], edges: readonly GraphEdge[]): Promise<Map<string, Point>> {
  if (boxes.length === 0) return Promise.resolve(new Map());
  const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  const answer = new Promise<Map<string, Point>>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<LayoutAnswer>) => resolve(new Map(data));
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error("The layout failed."));
    };
  });
  const task: LayoutTask = { boxes, edges: edges.map(({ source, target }) => ({ source, target })) };
  worker.postMessage(task);
  return answer.finally(() => worker.terminate());
}
