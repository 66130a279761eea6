/** Random edits, undo, redo and merges against a model; runs in a page and throws at the first difference. */

import { apply, collisions, merge, rename, renameChanges, takeTheirs } from "../../../../../gateway/ui/src/editor/document/merge";
import { difference, share } from "../../../../../gateway/ui/src/editor/document/difference";
import type { EditorDocument } from "../../../../../gateway/ui/src/editor/document/document";
import { addNode, connect, type Edit, move, remove, setData, setSetting } from "../../../../../gateway/ui/src/editor/document/edits";
import { begin, carry, type History, record, redo, undo } from "../../../../../gateway/ui/src/editor/document/history";
import { emptyDocument, expectSame, expectSound, mergedSlots, random, type Slots, slots } from "./model";

type Dice = () => number;

const FIELDS = ["text", "title", "count"];
const STEPS = 200;
const MOST_NODES = 40;
/** Few, so that both sides of a merge often meet. */
const FEW_NODES = 10;

function pick<T>(dice: Dice, items: readonly T[]): T | undefined {
  return items[Math.floor(dice() * items.length)];
}

let made = 0;

/** An edit, and the same change to the slots of a model. `name` keeps the ids of two sides apart. */
function anyEdit(dice: Dice, document: EditorDocument, name: string): [Edit, (model: Slots) => void] {
  const node = pick(dice, document.nodes)?.id;
  const kind = dice();
  made++;
  if (node === undefined || (kind < 0.2 && document.nodes.length < MOST_NODES)) {
    const position = { x: Math.floor(dice() * 900), y: Math.floor(dice() * 900) };
    const id = `${name}${made}`;
    return [
      addNode({ id, type: "textBox", position, data: { text: id } }),
      (model) => {
        model.set(`node ${id}`, "textBox");
        model.set(`place ${id}`, JSON.stringify(position));
        model.set(`data ${id} text`, JSON.stringify(id));
      },
    ];
  }
  if (kind < 0.4) {
    const target = pick(dice, document.nodes)?.id ?? node;
    const wire = { source: node, target, sourceHandle: "out", targetHandle: `${name}${made}` };
    const before = new Set(document.edges.map((each) => each.id));
    const edit = connect(wire, true);
    return [
      edit,
      (model) => {
        const added = edit(document).edges.find((each) => !before.has(each.id));
        if (!added) return;
        const { source, sourceHandle, targetHandle } = added;
        model.set(`edge ${added.id}`, JSON.stringify({ source, target, sourceHandle, targetHandle }));
      },
    ];
  }
  if (kind < 0.47) return [remove([node]), (model) => removeFromModel(model, node)];
  if (kind < 0.52) {
    const edge = pick(dice, document.edges)?.id ?? "none";
    return [remove([], [edge]), (model) => void model.delete(`edge ${edge}`)];
  }
  if (kind < 0.7) {
    const to = { x: Math.floor(dice() * 900), y: Math.floor(dice() * 900) };
    return [move(new Map([[node, to]])), (model) => void model.set(`place ${node}`, JSON.stringify(to))];
  }
  if (kind < 0.75) {
    const description = `words ${made}`;
    return [(present) => ({ ...present, description }), (model) => void model.set("member description", JSON.stringify(description))];
  }
  if (kind < 0.8) {
    return [
      setData(node, { text: made }),
      (model) => {
        for (const field of FIELDS) model.delete(`data ${node} ${field}`);
        model.set(`data ${node} text`, JSON.stringify(made));
      },
    ];
  }
  const field = pick(dice, FIELDS) as string;
  const value = kind < 0.85 ? undefined : made;
  return [
    setSetting(node, field, value),
    (model) => {
      if (value === undefined) model.delete(`data ${node} ${field}`);
      else model.set(`data ${node} ${field}`, JSON.stringify(value));
    },
  ];
}

function removeFromModel(model: Slots, node: string): void {
  for (const [slot, value] of [...model]) {
    const isOfNode = slot === `node ${node}` || slot === `place ${node}` || slot.startsWith(`data ${node} `);
    const wire = slot.startsWith("edge ") ? JSON.parse(value) : {};
    if (isOfNode || wire.source === node || wire.target === node) model.delete(slot);
  }
}

function freeze(document: EditorDocument): EditorDocument {
  for (const node of document.nodes) Object.freeze(Object.freeze(node).data);
  return Object.freeze(document);
}

/** Edit, undo and redo at random, and compare each document with the model's. */
export function editAtRandom(seed: number, count: number): number {
  const dice = random(seed);
  let history: History<EditorDocument> = begin(freeze(emptyDocument()));
  let [past, model, future]: [Slots[], Slots, Slots[]] = [[], slots(history.present), []];
  let undone = 0;
  for (let step = 0; step < count; step++) {
    const before = history.present;
    const kind = dice();
    if (kind < 0.2) {
      history = undo(history);
      const last = past.pop();
      if (last) [model, future, undone] = [last, [model, ...future], undone + 1];
    } else if (kind < 0.35) {
      history = redo(history);
      const [next, ...rest] = future;
      if (next) [past, model, future] = [[...past, model], next, rest];
    } else {
      const [edit, change] = anyEdit(dice, before, "n");
      const isSameStep = dice() < 0.1;
      const next = freeze(edit(before));
      const changed = new Map(model);
      change(changed);
      if (next !== before) {
        if (!isSameStep) past = [...past, model].slice(-STEPS);
        [model, future] = [changed, []];
      }
      history = record(history, next, isSameStep);
    }
    expectSame(slots(history.present), model, `step ${step}`);
    expectSound(history.present, `step ${step}`);
    const there = apply(before, difference(before, history.present));
    expectSame(slots(there.document), model, `difference of step ${step}`);
    if (there.clashes.length > 0) throw new Error(`a difference clashes with its own document at step ${step}`);
    const shared = share(history.present, structuredClone(history.present));
    if (shared.nodes !== history.present.nodes) throw new Error(`equal nodes are not shared at step ${step}`);
  }
  return undone;
}

function editMany(dice: Dice, history: History<EditorDocument>, count: number, name: string): History<EditorDocument> {
  let found = history;
  for (let step = 0; step < count; step++) {
    found = dice() < 0.15 ? undo(found) : record(found, freeze(anyEdit(dice, found.present, name)[0](found.present)), false);
  }
  return found;
}

/** Edit one document on two sides, merge, and compare with the merge of the model; the histories stay sound. */
export function mergeAtRandom(seed: number, rounds: number): { conflicts: number; renamed: number } {
  const dice = random(seed);
  let [conflicts, renamed] = [0, 0];
  let base = editMany(dice, begin(emptyDocument()), 30, "n").present;
  for (let round = 0; round < rounds; round++) {
    const isApart = dice() < 0.7;
    const start = made;
    const mine = editMany(dice, begin(base), Math.floor(dice() * 8), isApart ? "mine" : "n");
    // Under one name, both sides count alike, and add nodes under the same ids.
    const reached = made;
    if (!isApart) made = start;
    const theirs = editMany(dice, begin(base), Math.floor(dice() * 8), isApart ? "theirs" : "n").present;
    made = Math.max(made, reached);
    const found = merge(base, mine, structuredClone(theirs));
    const history = carry(mine, found.carry);
    const what = `round ${round}`;
    expectSound(history.present, what);
    const ours = slots(rename(mine.present, found.renamed));
    expectSame(slots(history.present), mergedSlots(slots(base), ours, slots(theirs)), what);
    for (let each = history; each.past.length > 0; ) {
      each = undo(each);
      expectSound(each.present, `${what}, undone`);
    }
    expectKept(base, theirs, mine.present, what);
    let chosen = history.present;
    for (const conflict of found.conflicts) chosen = takeTheirs(chosen, theirs, conflict);
    expectSound(chosen, `${what}, chosen`);
    const swapped = merge(base, begin(theirs), rename(mine.present, found.renamed));
    if (swapped.conflicts.length !== found.conflicts.length) throw new Error(`${what}: the sides see other conflicts`);
    conflicts += found.conflicts.length;
    renamed += found.renamed.nodes.size + found.renamed.edges.size;
    base = chosen.nodes.length > FEW_NODES ? remove(chosen.nodes.slice(FEW_NODES / 2).map((each) => each.id))(chosen) : chosen;
  }
  return { conflicts, renamed };
}

/** Changes that a browser kept, as JSON, come to what a merge comes to. */
function expectKept(base: EditorDocument, server: EditorDocument, mine: EditorDocument, what: string): void {
  const changes = JSON.parse(JSON.stringify(difference(base, mine)));
  const { document } = apply(server, renameChanges(changes, collisions(server, changes)));
  expectSound(document, `${what}, kept`);
  const added = new Set(base.nodes.map((each) => each.id));
  const count = mine.nodes.filter((each) => !added.has(each.id)).length;
  const others = server.nodes.filter((each) => !added.has(each.id)).length;
  const there = document.nodes.filter((each) => !added.has(each.id)).length;
  if (there > count + others || there < Math.max(count, others)) throw new Error(`${what}: ${there} of ${count} and ${others} new nodes`);
}
