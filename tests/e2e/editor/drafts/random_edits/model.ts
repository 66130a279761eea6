/** A plain model of the document, to compare the editor's functions with. */

import type { EditorDocument } from "../../../../../gateway/ui/src/editor/document/document";

export type Slots = Map<string, string>;

/** Numbers from 0 to 1 that a seed determines. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function emptyDocument(): EditorDocument {
  return {
    name: "Model",
    description: "",
    tags: [],
    nodes: [],
    edges: [],
    viewport: { x: 0, y: 0, zoom: 1 },
    publicPlayground: false,
    isTemplate: false,
    folderId: null,
    cover: null,
    hidden: false,
    archived: false,
    recordValues: "all",
    editor: {},
  };
}

/** A document as flat slots, in which its order does not matter. */
export function slots(document: EditorDocument): Slots {
  const found: Slots = new Map();
  for (const node of document.nodes) {
    found.set(`node ${node.id}`, node.type);
    found.set(`place ${node.id}`, JSON.stringify(node.position));
    for (const [name, value] of Object.entries(node.data)) found.set(`data ${node.id} ${name}`, JSON.stringify(value));
  }
  for (const { id, ...wire } of document.edges) found.set(`edge ${id}`, JSON.stringify(wire));
  for (const { id, ...group } of document.editor.groups ?? []) found.set(`group ${id}`, JSON.stringify(group));
  for (const name of ["name", "description", "tags", "recordValues"] as const) {
    found.set(`member ${name}`, JSON.stringify(document[name]));
  }
  return found;
}

/** Stop unless two documents are equal. */
export function expectSame(found: Slots, expected: Slots, what: string): void {
  for (const [slot, value] of expected) {
    if (found.get(slot) !== value) throw new Error(`${what}: ${slot} is ${found.get(slot)}, not ${value}`);
  }
  for (const slot of found.keys()) if (!expected.has(slot)) throw new Error(`${what}: ${slot} should not be there`);
}

/** Stop unless the ids are unique and all wires have their ends. */
export function expectSound(document: EditorDocument, what: string): void {
  const nodes = new Set(document.nodes.map((each) => each.id));
  if (nodes.size < document.nodes.length) throw new Error(`${what}: two nodes have one id`);
  if (new Set(document.edges.map((each) => each.id)).size < document.edges.length) throw new Error(`${what}: two wires have one id`);
  for (const edge of document.edges) {
    if (!nodes.has(edge.source) || !nodes.has(edge.target)) throw new Error(`${what}: wire ${edge.id} hangs loose`);
  }
}

function parse(value: string | undefined): Record<string, unknown> | null {
  return value === undefined ? null : JSON.parse(value);
}

/** The three-way merge, slot by slot, as the documentation has it; conflicts stay with mine. */
export function mergedSlots(base: Slots, mine: Slots, theirs: Slots): Slots {
  const found: Slots = new Map();
  const stayed = new Set<string>();
  const ids = new Set([...base.keys(), ...mine.keys(), ...theirs.keys()].filter((each) => each.startsWith("node ")).map((each) => each.slice(5)));
  const ofNode = (all: Slots, id: string): [string, string][] =>
    [...all].filter(([slot]) => slot === `node ${id}` || slot === `place ${id}` || slot.startsWith(`data ${id} `));
  const threeWay = (slot: string): string | undefined => {
    const [b, m, t] = [base.get(slot), mine.get(slot), theirs.get(slot)];
    return m === b ? t : m;
  };
  for (const id of ids) {
    const slot = `node ${id}`;
    if (!mine.has(slot) && base.has(slot)) continue;
    if (!theirs.has(slot) && base.has(slot)) {
      const settings = (all: Slots): string => JSON.stringify(ofNode(all, id).filter(([name]) => !name.startsWith("place")).sort());
      if (settings(mine) === settings(base)) continue;
      stayed.add(id);
      for (const [name, value] of ofNode(mine, id)) found.set(name, value);
      continue;
    }
    for (const [name] of [...ofNode(mine, id), ...ofNode(theirs, id)]) {
      const value = threeWay(name);
      if (value !== undefined) found.set(name, value);
    }
  }
  for (const slot of new Set([...mine.keys(), ...theirs.keys()])) {
    if (slot.startsWith("member ")) found.set(slot, threeWay(slot) as string);
    if (!slot.startsWith("edge ")) continue;
    const edge = parse(mine.get(slot) ?? theirs.get(slot)) as { source: string; target: string };
    const isHeld = base.has(slot) && mine.has(slot) && (stayed.has(edge.source) || stayed.has(edge.target));
    const value = isHeld ? mine.get(slot) : threeWay(slot);
    if (value !== undefined && found.has(`node ${edge.source}`) && found.has(`node ${edge.target}`)) found.set(slot, value);
  }
  return found;
}
