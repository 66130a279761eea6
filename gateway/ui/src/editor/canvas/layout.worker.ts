/** The layout itself: dagre is loaded here alone. */

import { graphlib, layout } from "@dagrejs/dagre";
import type { LayoutAnswer, LayoutTask } from "./layout";

self.onmessage = ({ data }: MessageEvent<LayoutTask>) => {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 40, ranksep: 96 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of data.boxes) graph.setNode(id, { width, height });
  for (const { source, target } of data.edges) {
    if (graph.hasNode(source) && graph.hasNode(target)) graph.setEdge(source, target);
  }
  layout(graph);
  const placed = data.boxes.map(({ id, width, height }) => {
    const { x, y } = graph.node(id) as { x: number; y: number };
    return { id, x: x - width / 2, y: y - height / 2 };
  });
  const lowest = (axis: "x" | "y", boxes: readonly { x: number; y: number }[]): number =>
    Math.min(...boxes.map((box) => box[axis]));
  const across = lowest("x", data.boxes) - lowest("x", placed);
  const down = lowest("y", data.boxes) - lowest("y", placed);
  const answer: LayoutAnswer = placed.map(({ id, x, y }) => [id, { x: x + across, y: y + down }]);
  self.postMessage(answer);
};
