/** The order of nodes for people who go through them by keyboard. */

import type { GraphNode } from "../../../api/types";
import type { EditorDocument, Point } from "../../document/document";

const known = new WeakMap<readonly GraphNode[], { edges: unknown; order: string[] }>();

/** Node ids along the graph: each after those that it depends on, the upper first. */
export function alongGraph({ nodes, edges }: EditorDocument): string[] {
  const former = known.get(nodes);
  if (former?.edges === edges) return former.order;
  const open = new Map(nodes.map((node) => [node.id, 0]));
  const targets = new Map<string, string[]>();
  for (const { source, target } of edges) {
    if (!open.has(source) || !open.has(target)) continue;
    open.set(target, (open.get(target) ?? 0) + 1);
    targets.set(source, [...(targets.get(source) ?? []), target]);
  }
  const places = new Map(nodes.map((node) => [node.id, node.position]));
  const inReadingOrder = (ids: string[]): string[] =>
    ids.sort((one, other) => byPlace(places.get(one), places.get(other)));
  const order: string[] = [];
  let ready = inReadingOrder([...open].filter(([, count]) => count === 0).map(([id]) => id));
  while (ready.length > 0) {
    const next: string[] = [];
    for (const id of ready) {
      order.push(id);
      for (const target of targets.get(id) ?? []) {
        const left = (open.get(target) ?? 0) - 1;
        open.set(target, left);
        if (left === 0) next.push(target);
      }
    }
    ready = inReadingOrder(next);
  }
  // Nodes of a loop have no place in that order.
  const ordered = new Set(order);
  order.push(...nodes.map((node) => node.id).filter((id) => !ordered.has(id)));
  known.set(nodes, { edges, order });
  return order;
}

function byPlace(one: Point | undefined, other: Point | undefined): number {
  return one && other ? one.x - other.x || one.y - other.y : 0;
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const WAYS: Record<Direction, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** The node in a direction: along a wire to the left and the right, else the nearest one there. */
export function neighbour(document: EditorDocument, from: string, direction: Direction): string | null {
  const start = document.nodes.find((node) => node.id === from);
  if (!start) return null;
  const wired = wiredTo(document, from, direction);
  const candidates = document.nodes.filter((node) => (wired.size > 0 ? wired.has(node.id) : node.id !== from));
  const { x, y } = WAYS[direction];
  let best: { id: string; distance: number } | null = null;
  for (const { id, position } of candidates) {
    const [across, down] = [position.x - start.position.x, position.y - start.position.y];
    const ahead = across * x + down * y;
    if (ahead <= 0 && wired.size === 0) continue;
    const distance = Math.abs(ahead) + 2 * Math.abs(across * y + down * x);
    if (!best || distance < best.distance) best = { id, distance };
  }
  return best?.id ?? null;
}

function wiredTo({ edges }: EditorDocument, from: string, direction: Direction): Set<string> {
  if (direction === "ArrowRight") return new Set(edges.filter((edge) => edge.source === from).map((edge) => edge.target));
  if (direction === "ArrowLeft") return new Set(edges.filter((edge) => edge.target === from).map((edge) => edge.source));
  return new Set();
}
