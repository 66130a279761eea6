import type { GraphNode, Workflow } from "../api/types";

const WIDTH = 220;
const HEIGHT = 92;
const COLOURS: Record<string, string> = {
  assistant: "text",
  textBox: "text",
  imageGenerator: "image",
  videoGenerator: "video",
  musicGenerator: "audio",
  speak: "audio",
  transcribe: "text",
  documentText: "text",
  splitText: "text",
};

function colourOf(node: GraphNode): string {
  if (node.type === "upload" && typeof node.data.kind === "string") return `var(--socket-${node.data.kind})`;
  const known = COLOURS[node.type] ?? (node.type.startsWith("image") ? "image" : "any");
  return `var(--socket-${known})`;
}

/** A small picture of a graph. */
export function Drawing({ graph }: { graph: Pick<Workflow, "nodes" | "edges"> }) {
  const nodes = graph.nodes.filter((node) => node.type !== "note");
  if (nodes.length === 0) return null;
  const places = new Map(nodes.map((node) => [node.id, node]));
  const xs = nodes.map((node) => node.position.x);
  const ys = nodes.map((node) => node.position.y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const width = Math.max(...xs) - left + WIDTH;
  const height = Math.max(...ys) - top + HEIGHT;
  // A graph that is flat or narrow is not blown up.
  const [boxWidth, boxHeight] = [Math.max(width, 900) + 160, Math.max(height, 380) + 120];
  const box = [left - (boxWidth - width) / 2, top - (boxHeight - height) / 2, boxWidth, boxHeight];
  return (
    <svg viewBox={box.join(" ")} aria-hidden="true">
      {graph.edges.map((edge) => {
        const [from, to] = [places.get(edge.source), places.get(edge.target)];
        if (!from || !to) return null;
        const [x1, y1] = [from.position.x + WIDTH, from.position.y + HEIGHT / 2];
        const [x2, y2] = [to.position.x, to.position.y + HEIGHT / 2];
        const bend = Math.max(Math.abs(x2 - x1) / 2, 40);
        const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
        return <path key={edge.id} className="edge" d={path} stroke={colourOf(from)} />;
      })}
      {nodes.map((node) => (
        <g key={node.id} transform={`translate(${node.position.x} ${node.position.y})`}>
          <rect className="node" width={WIDTH} height={HEIGHT} rx="20" />
          <circle cx="42" cy={HEIGHT / 2} r="16" fill={colourOf(node)} />
          <rect className="line" x="76" y={HEIGHT / 2 - 8} width="104" height="16" rx="8" />
        </g>
      ))}
    </svg>
  );
}
