/** All that can be done on the canvas, with its keys: the help sheet, the menu and the keyboard read this table. */

import { groupsOf, type Point } from "../../document/document";
import { type Alignment, align, type Axis, clear, distribute } from "../../document/arrange";
import { type Edit, move, onGrid, remove } from "../../document/edits";
import { group, ungroup } from "../../document/groups";
import { fresh, insert, type Part, partOf } from "../../document/parts";
import { bodyOf } from "../../bodies/body";
import { openGraph } from "../../bodies/open";
import { toast } from "../../../components/Toast";
import { announce } from "../announce";
import { counted } from "../card/summary";
import { tidied } from "../layout";
import { besideNode, boxesOf, type CanvasContext, chosenEdges, chosenNodes } from "./context";
import { alongGraph } from "./order";

export interface Command {
  label: string;
  /** The first one is shown. `Mod` is Ctrl, or Command on a Mac. */
  keys: string[];
  run: (context: CanvasContext) => void;
  /** Whether it makes sense now; always if absent. */
  applies?: (context: CanvasContext) => boolean;
}

const some = (context: CanvasContext): boolean => chosenNodes(context).length > 0;
const one = (context: CanvasContext): boolean => chosenNodes(context).length === 1;
const several = (least: number) => (context: CanvasContext) => chosenNodes(context).length >= least;

/** Open something at the chosen node. */
const atNode = (kind: "wire" | "unwire") => (context: CanvasContext) => {
  const [node] = chosenNodes(context);
  if (node) context.open({ kind, node, at: besideNode(context, node) });
};

function erase(context: CanvasContext): void {
  const [nodes, edges] = [chosenNodes(context), chosenEdges(context)];
  if (nodes.length + edges.length === 0) return;
  context.store.edit(remove(nodes, edges));
  context.store.select([]);
  const counts = [nodes.length && counted(nodes.length, "node"), edges.length && counted(edges.length, "wire")];
  announce(`Deleted: ${counts.filter(Boolean).join(", ")}`);
}

/** Put a part into the document, with its upper left corner at a point of the canvas, and choose it. */
export function place(context: CanvasContext, part: Part, at: Point): void {
  const made = fresh(part, context.store.document, at);
  context.store.edit(insert(made));
  context.store.select(made.nodes.map((node) => node.id));
  announce(`${counted(made.nodes.length, "node")} added`);
}

function duplicate(context: CanvasContext): void {
  const ids = chosenNodes(context);
  if (ids.length === 0) return;
  const part = partOf(context.store.document, new Set(ids));
  const left = Math.min(...part.nodes.map((node) => node.position.x));
  const top = Math.min(...part.nodes.map((node) => node.position.y));
  place(context, part, { x: left + 40, y: top + 40 });
}

function groupChosen(context: CanvasContext): void {
  const ids = chosenNodes(context);
  if (ids.length === 0) return;
  context.store.edit(group(ids, "Group"));
  const made = groupsOf(context.store.document).at(-1);
  if (made) context.store.set({ edited: `group ${made.id}` });
  announce(`${counted(ids.length, "node")} grouped`);
}

/** The groups that the chosen nodes are in. */
function chosenGroups(context: CanvasContext): string[] {
  const chosen = new Set(chosenNodes(context));
  return groupsOf(context.store.document)
    .filter((each) => each.nodes.some((id) => chosen.has(id)))
    .map((each) => each.id);
}

function ungroupChosen(context: CanvasContext): void {
  context.store.edit(ungroup(chosenGroups(context)));
  announce("Ungrouped");
}

function moved(context: CanvasContext, positions: ReadonlyMap<string, Point>, said: string): void {
  const edit: Edit = move(new Map([...positions].map(([id, at]) => [id, onGrid(at)])));
  context.store.edit(edit);
  announce(said);
}

const aligned = (to: Alignment) => (context: CanvasContext) =>
  moved(context, align(boxesOf(context, chosenNodes(context)), to), `Aligned: ${to}`);
const distributed = (axis: Axis) => (context: CanvasContext) =>
  moved(context, distribute(boxesOf(context, chosenNodes(context)), axis), `Distributed ${axis}`);

async function tidy(context: CanvasContext): Promise<void> {
  const chosen = chosenNodes(context);
  const isPart = chosen.length > 1;
  const before = context.store.document;
  const ids = before.nodes.filter((node) => (isPart ? chosen.includes(node.id) : node.type !== "note"));
  try {
    const boxes = boxesOf(context, ids.map((node) => node.id));
    const positions = await tidied(boxes, before.edges);
    if (context.store.document !== before) return toast("The workflow changed meanwhile; tidy up once more.");
    const placed = boxes.map((box) => ({ ...box, ...positions.get(box.id) }));
    const notes = before.nodes.filter((node) => node.type === "note" && !positions.has(node.id)).map((node) => node.id);
    const cleared = clear(boxesOf(context, notes), placed);
    moved(context, new Map([...positions, ...cleared]), "Nodes laid out along the graph");
    if (!isPart) requestAnimationFrame(() => void context.flow.fitView({ maxZoom: 1, padding: 0.2, duration: 200 }));
  } catch {
    toast("The layout could not be loaded. Is the connection there?");
  }
}

/** Zoom, and say how far. */
const zoomed = (change: (context: CanvasContext) => Promise<boolean>) => (context: CanvasContext) =>
  void change(context).then(() => announce(`Zoom ${Math.round(context.flow.getZoom() * 100)} %`));

/** The chosen node, if it has a graph inside. */
function chosenBody(context: CanvasContext): string | null {
  const [id, ...others] = chosenNodes(context);
  const node = context.store.document.nodes.find((each) => each.id === id);
  return node && others.length === 0 && bodyOf(node) ? node.id : null;
}

function show(context: CanvasContext): void {
  const [id] = chosenNodes(context);
  const node = context.store.document.nodes.find((each) => each.id === id);
  if (!node) return;
  if (node.type === "note") context.store.set({ edited: node.id });
  else context.store.show(node.id);
}

export const COMMANDS = {
  add: {
    label: "Add a node",
    keys: ["/"],
    run: (context) => context.open({ kind: "add", at: context.pointer(), wire: null }),
  },
  settings: { label: "Open settings", keys: ["Enter"], run: show, applies: one },
  inside: {
    label: "Open the graph inside",
    keys: ["o"],
    run: (context) => {
      const id = chosenBody(context);
      if (id) openGraph([...context.store.path, id]);
    },
    applies: (context) => chosenBody(context) !== null,
  },
  outside: {
    label: "Back to the outer graph",
    keys: ["Shift+O"],
    run: ({ store: { path } }) => openGraph(path.slice(0, -1), { node: path.at(-1) }),
    applies: ({ store }) => store.path.length > 0,
  },
  rename: {
    label: "Rename",
    keys: ["F2"],
    run: (context) => context.store.set({ edited: chosenNodes(context)[0] ?? null }),
    applies: one,
  },
  wire: { label: "Wire to…", keys: ["w"], run: atNode("wire"), applies: one },
  unwire: { label: "Remove a wire…", keys: ["Shift+W"], run: atNode("unwire"), applies: one },
  cut: { label: "Cut", keys: ["Mod+x"], run: () => void document.execCommand("cut"), applies: some },
  copy: { label: "Copy", keys: ["Mod+c"], run: () => void document.execCommand("copy"), applies: some },
  duplicate: { label: "Duplicate", keys: ["Mod+d"], run: duplicate, applies: some },
  erase: {
    label: "Delete",
    keys: ["Delete", "Backspace"],
    run: erase,
    applies: (context) => some(context) || chosenEdges(context).length > 0,
  },
  group: {
    label: "Group",
    keys: ["Mod+g"],
    run: groupChosen,
    // Frames are data of the canvas, which a graph inside of a node has no place for.
    applies: (context) => some(context) && context.store.path.length === 0,
  },
  ungroup: {
    label: "Ungroup",
    keys: ["Mod+Shift+G"],
    run: ungroupChosen,
    applies: (context) => chosenGroups(context).length > 0,
  },
  alignLeft: { label: "Align left", keys: [], run: aligned("left"), applies: several(2) },
  alignCentre: { label: "Align centre", keys: [], run: aligned("centre"), applies: several(2) },
  alignRight: { label: "Align right", keys: [], run: aligned("right"), applies: several(2) },
  alignTop: { label: "Align top", keys: [], run: aligned("top"), applies: several(2) },
  alignMiddle: { label: "Align middle", keys: [], run: aligned("middle"), applies: several(2) },
  alignBottom: { label: "Align bottom", keys: [], run: aligned("bottom"), applies: several(2) },
  distributeAcross: { label: "Distribute across", keys: [], run: distributed("across"), applies: several(3) },
  distributeDown: { label: "Distribute down", keys: [], run: distributed("down"), applies: several(3) },
  tidy: { label: "Tidy up", keys: ["l"], run: (context) => void tidy(context) },
  selectAll: {
    label: "Select all",
    keys: ["Mod+a"],
    run: (context) => {
      context.store.select(alongGraph(context.store.document));
      announce(`${counted(context.store.document.nodes.length, "node")} selected`);
    },
  },
  selectNone: {
    label: "Select nothing",
    keys: ["Escape"],
    run: (context) => context.store.select([]),
    applies: (context) => context.store.get().selection.size > 0,
  },
  undo: {
    label: "Undo",
    keys: ["Mod+z"],
    run: ({ store }) => {
      announce(store.get().history.past.length > 0 ? "Undone" : "Nothing to undo");
      store.undo();
    },
  },
  redo: {
    label: "Redo",
    keys: ["Mod+Shift+Z", "Mod+y"],
    run: ({ store }) => {
      announce(store.get().history.future.length > 0 ? "Done again" : "Nothing to redo");
      store.redo();
    },
  },
  zoomIn: { label: "Zoom in", keys: ["+", "="], run: zoomed(({ flow }) => flow.zoomIn({ duration: 120 })) },
  zoomOut: { label: "Zoom out", keys: ["-"], run: zoomed(({ flow }) => flow.zoomOut({ duration: 120 })) },
  zoomFit: {
    label: "Show all",
    keys: ["0"],
    run: zoomed(({ flow }) => flow.fitView({ maxZoom: 1, padding: 0.2, duration: 200 })),
  },
  zoomFull: { label: "Zoom to 100 %", keys: ["1"], run: zoomed(({ flow }) => flow.zoomTo(1, { duration: 120 })) },
  help: { label: "Keys", keys: ["?"], run: (context) => context.open({ kind: "help" }) },
} satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

export function commandOf(name: CommandName): Command {
  return COMMANDS[name];
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys in the words of the keyboard. */
export function keyWords(key: string): string {
  return key
    .replace("Mod", isMac ? "⌘" : "Ctrl")
    .replace(/(^|\+)([a-z])$/, (_, before: string, letter: string) => before + letter.toUpperCase());
}
