import type { GraphEdge, GraphNode } from "../../api/types";
import type { EditorDocument } from "../document/document";
import type { Kind, Words } from "./words";

const WIDTH = 240;
const HEIGHT = 84;
const SIGNS: Record<Kind, string> = { added: "+", removed: "−", changed: "~" };
const LETTERS = 16;

interface Props {
  before: EditorDocument;
  after: EditorDocument;
  words: Words;
}

/** Both graphs in one picture; removed nodes and wires are dashed. */
export function DifferencePicture({ before, after, words }: Props) {
  const kinds = new Map(words.nodes.map((each) => [each.node, each.kind]));
  const wires = new Map(words.wires.map((each) => [each.key, each.kind]));
  const isGone = (id: string): boolean => kinds.get(id) === "removed";
  const nodes = [...after.nodes, ...before.nodes.filter(({ id }) => isGone(id))].filter(({ type }) => type !== "note");
  const edges = [...after.edges, ...before.edges.filter(({ id }) => wires.get(`edge ${id}`) === "removed")];
  if (nodes.length === 0) return null;
  const places = new Map(nodes.map((node) => [node.id, node]));
  const [xs, ys] = [nodes.map(({ position }) => position.x), nodes.map(({ position }) => position.y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left + WIDTH, Math.max(...ys) - top + HEIGHT];
  const [boxWidth, boxHeight] = [Math.max(width, 700) + 60, Math.max(height, 200) + 60];
  const box = [left - (boxWidth - width) / 2, top - (boxHeight - height) / 2, boxWidth, boxHeight];
  return (
    <figure>
      <svg viewBox={box.join(" ")} role="img" aria-label="Both graphs, with marks at what is added, removed and changed">
        {edges.map((edge) => (
          <Curve key={edge.id} edge={edge} places={places} kind={wires.get(`edge ${edge.id}`)} />
        ))}
        {nodes.map((node) => (
          <Box key={node.id} node={node} kind={kinds.get(node.id)} />
        ))}
      </svg>
    </figure>
  );
}

function Curve({ edge, places, kind }: { edge: GraphEdge; places: Map<string, GraphNode>; kind: Kind | undefined }) {
  const [from, to] = [places.get(edge.source), places.get(edge.target)];
  if (!from || !to) return null;
  const [x1, y1] = [from.position.x + WIDTH, from.position.y + HEIGHT / 2];
  const [x2, y2] = [to.position.x, to.position.y + HEIGHT / 2];
  const bend = Math.max(Math.abs(x2 - x1) / 2, 40);
  return <path className={kind ?? "same"} d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />;
}

function Box({ node, kind }: { node: GraphNode; kind: Kind | undefined }) {
  const name = node.id.length > LETTERS ? `${node.id.slice(0, LETTERS - 1)}…` : node.id;
  return (
    <g className={kind ?? "same"} transform={`translate(${node.position.x} ${node.position.y})`}>
      <rect width={WIDTH} height={HEIGHT} rx="14" />
      <text x="18" y={HEIGHT / 2} dominantBaseline="central">
        {name}
      </text>
      {kind && (
        <>
          <circle cx={WIDTH} cy="0" r="22" />
          <text className="sign" x={WIDTH} y="0" textAnchor="middle" dominantBaseline="central">
            {SIGNS[kind]}
          </text>
        </>
      )}
    </g>
  );
}
