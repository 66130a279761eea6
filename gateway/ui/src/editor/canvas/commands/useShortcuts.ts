/** The keyboard of the canvas. */

import { type RefObject, useEffect } from "react";
import { move } from "../../document/edits";
import { announce } from "../announce";
import { nameOf } from "../flow";
import { COMMANDS, commandOf, type CommandName } from "./commands";
import { type CanvasContext, chosenNodes, type Surface } from "./context";
import { alongGraph, type Direction, neighbour } from "./order";

const STEP = 8;
const NUDGES: Record<Direction, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
/** Elements that use keys themselves. */
const TYPING = "input, textarea, select, [contenteditable=true], dialog, [popover]";
const OPERATED = "button, a, summary, [role=tab], [role=button]";

/** Commands by the key as `keyOf` spells it. The browser's own events of the clipboard serve cut, copy and paste. */
const BY_KEY = new Map<string, CommandName>(
  (Object.keys(COMMANDS) as CommandName[])
    .filter((name) => name !== "cut" && name !== "copy")
    .flatMap((name) => commandOf(name).keys.map((key) => [key, name] as const)),
);

function keyOf({ key, ctrlKey, metaKey, shiftKey, altKey }: KeyboardEvent): string {
  if (altKey) return "";
  const isLetter = /^[a-z]$/i.test(key);
  const named = isLetter ? (shiftKey ? key.toUpperCase() : key.toLowerCase()) : key;
  const shift = shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  return `${ctrlKey || metaKey ? "Mod+" : ""}${shift}${named}`;
}

/** Whether a key of this command is also meant where something else has the focus. */
const EVERYWHERE = new Set<CommandName>(["undo", "redo", "add", "help"]);

export function useShortcuts(context: RefObject<CanvasContext>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      if (event.defaultPrevented || target.closest(TYPING)) return;
      const isElsewhere = target !== document.body && !context.current.region?.contains(target);
      const name = BY_KEY.get(keyOf(event));
      if (isElsewhere && !(name && EVERYWHERE.has(name))) return;
      if (!isElsewhere && goOn(context.current, event)) return event.preventDefault();
      if (!name || (event.key === "Enter" && target.closest(OPERATED))) return;
      const command = commandOf(name);
      chooseFocused(context.current, target);
      if (command.applies && !command.applies(context.current)) return;
      event.preventDefault();
      command.run(context.current);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [context]);
}

/** Choose the node that has the focus, where nothing is chosen. */
function chooseFocused({ store }: CanvasContext, target: Element): void {
  const focused = target.closest(".react-flow__node")?.getAttribute("data-id");
  if (focused && store.get().selection.size === 0) store.select([focused]);
}

/** Move the focus or the chosen nodes; false where the key means something else. */
function goOn(context: CanvasContext, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const focused = (event.target as Element).closest(".react-flow__node")?.getAttribute("data-id");
  if (event.key === "Tab") return Boolean(focused) && tab(context, focused as string, event.shiftKey ? -1 : 1);
  if (!(event.key in NUDGES)) return false;
  const direction = event.key as Direction;
  if (event.shiftKey) return nudge(context, ...NUDGES[direction]);
  const { document } = context.store;
  const from = focused ?? chosenNodes(context)[0];
  const to = from ? neighbour(document, from, direction) : alongGraph(document)[0];
  if (to) reach(context, to);
  return Boolean(to);
}

function tab(context: CanvasContext, from: string, step: 1 | -1): boolean {
  const order = alongGraph(context.store.document);
  const to = order[order.indexOf(from) + step];
  if (to === undefined) return false;
  reach(context, to);
  return true;
}

function nudge(context: CanvasContext, x: number, y: number): boolean {
  const ids = new Set(chosenNodes(context));
  if (ids.size === 0) return false;
  const nodes = context.store.document.nodes.filter((node) => ids.has(node.id));
  const positions = new Map(nodes.map(({ id, position }) => [id, { x: position.x + x, y: position.y + y }]));
  context.store.edit(move(positions), `nudge ${[...ids].join(" ")}`);
  const [first] = positions.values();
  announce(`Moved to ${first?.x}, ${first?.y}`);
  return true;
}

/** Choose a node, bring it into view and give it the focus. */
export function reach(surface: Surface, id: string): void {
  const { store, flow, region, catalogue } = surface;
  store.select([id]);
  const node = store.document.nodes.find((each) => each.id === id);
  if (!node || !region) return;
  announce(nameOf(node, catalogue));
  if (!isSeen(surface, id)) {
    const { x, y, width, height } = flow.getNodesBounds([id]);
    void flow.setCenter(x + width / 2, y + height / 2, { zoom: Math.max(flow.getZoom(), 0.5) });
  }
  // A node that was out of sight may be drawn only now.
  if (!focusOn(region, id)) requestAnimationFrame(() => requestAnimationFrame(() => focusOn(region, id)));
}

/** Whether a node is in view as a whole. */
export function isSeen({ flow, region }: Surface, id: string): boolean {
  if (!region) return false;
  const { x, y, width, height } = flow.getNodesBounds([id]);
  const [from, to] = [flow.flowToScreenPosition({ x, y }), flow.flowToScreenPosition({ x: x + width, y: y + height })];
  const view = region.getBoundingClientRect();
  return from.x >= view.left && from.y >= view.top && to.x <= view.right && to.y <= view.bottom;
}

/** Give a node the focus; false where it cannot take it yet. */
export function focusOn(region: HTMLElement, id: string): boolean {
  const card = region.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
  card?.focus({ preventScroll: true });
  return card !== null && document.activeElement === card;
}
