/** Positions of nodes that line up, from boxes of their present places. */

import type { Point } from "./document";

export interface Box extends Point {
  id: string;
  width: number;
  height: number;
}

export type Alignment = "left" | "centre" | "right" | "top" | "middle" | "bottom";
export type Axis = "across" | "down";

const LINES: Record<Alignment, (boxes: readonly Box[]) => (box: Box) => Point> = {
  left: (boxes) => {
    const x = Math.min(...boxes.map((box) => box.x));
    return ({ y }) => ({ x, y });
  },
  right: (boxes) => {
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    return ({ y, width }) => ({ x: right - width, y });
  },
  centre: (boxes) => {
    const middle = between(boxes.map((box) => [box.x, box.x + box.width]));
    return ({ y, width }) => ({ x: middle - width / 2, y });
  },
  top: (boxes) => {
    const y = Math.min(...boxes.map((box) => box.y));
    return ({ x }) => ({ x, y });
  },
  bottom: (boxes) => {
    const bottom = Math.max(...boxes.map((box) => box.y + box.height));
    return ({ x, height }) => ({ x, y: bottom - height });
  },
  middle: (boxes) => {
    const middle = between(boxes.map((box) => [box.y, box.y + box.height]));
    return ({ x, height }) => ({ x, y: middle - height / 2 });
  },
};

function between(spans: [number, number][]): number {
  return (Math.min(...spans.map(([from]) => from)) + Math.max(...spans.map(([, to]) => to))) / 2;
}

/** Positions with one edge or one middle in common. */
export function align(boxes: readonly Box[], alignment: Alignment): Map<string, Point> {
  const place = LINES[alignment](boxes);
  return new Map(boxes.map((box) => [box.id, place(box)]));
}

/** Positions with equal gaps; the first and the last box stay. */
export function distribute(boxes: readonly Box[], axis: Axis): Map<string, Point> {
  const [at, size] = axis === "across" ? (["x", "width"] as const) : (["y", "height"] as const);
  const sorted = [...boxes].sort((one, other) => one[at] - other[at]);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last || sorted.length < 3) return new Map();
  const filled = sorted.reduce((sum, box) => sum + box[size], 0);
  const gap = (last[at] + last[size] - first[at] - filled) / (sorted.length - 1);
  const positions = new Map<string, Point>();
  let next = first[at];
  for (const box of sorted) {
    positions.set(box.id, { x: box.x, y: box.y, [at]: next });
    next += box[size] + gap;
  }
  return positions;
}

const GAP = 40;

function isOn(one: Omit<Box, "id">, other: Omit<Box, "id">, gap = 0): boolean {
  return (
    one.x < other.x + other.width + gap &&
    other.x < one.x + one.width + gap &&
    one.y < other.y + other.height + gap &&
    other.y < one.y + one.height + gap
  );
}

/** Obstacles that are looked at around a wanted place: the nearest ones, so that large graphs take no longer. */
const MOST_OBSTACLES = 60;

/** The free place for a box that is nearest to where it is wanted. */
export function freePlace(wanted: Omit<Box, "id">, placed: readonly Box[]): Point {
  const { width, height } = wanted;
  // Graphs grow to the right, so a place on the left is as good as one on the right that is twice as far.
  const distance = ({ x, y }: Point): number => (x < wanted.x ? 4 : 1) * (x - wanted.x) ** 2 + (y - wanted.y) ** 2;
  const isFree = (at: Point): boolean => !placed.some((box) => isOn({ ...at, width, height }, box, GAP / 2));
  if (isFree(wanted)) return { x: wanted.x, y: wanted.y };
  // The nearest free place touches obstacles, or is level with the wanted one.
  const near = [...placed].sort((one, other) => distance(one) - distance(other)).slice(0, MOST_OBSTACLES);
  const xs = [wanted.x, ...near.flatMap((box) => [box.x + box.width + GAP, box.x - width - GAP])];
  const ys = [wanted.y, ...near.flatMap((box) => [box.y + box.height + GAP, box.y - height - GAP])];
  const places = xs.flatMap((x) => ys.map((y) => ({ x, y }))).sort((one, other) => distance(one) - distance(other));
  const beyond = { x: Math.max(...placed.map((box) => box.x + box.width)) + GAP, y: wanted.y };
  return places.find(isFree) ?? beyond;
}

/** New positions of those boxes that lie on placed ones: below all of these. */
export function clear(boxes: readonly Box[], placed: readonly Box[]): Map<string, Point> {
  const lowest = Math.max(...placed.map((box) => box.y + box.height));
  const covering = boxes.filter((box) => placed.some((other) => isOn(box, other)));
  return new Map(covering.map(({ id, x }) => [id, { x, y: lowest + GAP }]));
}
