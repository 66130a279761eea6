/** The axis of the waterfall: milliseconds from the begin, of which long waits take little room. */

import type { ExecutionDetail, ExecutionNode } from "../../api/types";

/** A stretch of time in milliseconds from the begin of the execution. */
export interface Stretch {
  from: number;
  to: number;
}

export interface Scale {
  /** The moment of the acceptance. */
  begin: number;
  length: number;
  /** Stretches in which the run only waits for times and people, and which are drawn shorter than they are. */
  cuts: Stretch[];
}

/** A line of the chart, at a share of its width in percent. */
interface Tick {
  at: number;
  /** Whether its label has room before the next cut and the end. */
  isLabelled: boolean;
  /** Milliseconds since the begin, or since the end of the cut before it. */
  ms: number;
  isAfterCut: boolean;
}

const WAITS = new Set(["delay", "approval"]);
/** Waits that take more than this share of the time are cut. */
const MOST_WAITING = 0.5;
/** Percent of the width for a cut, and for all of them. */
const CUT_WIDTH = 16;
const CUTS_WIDTH = 50;
const TICKS = 5;
const LABEL_WIDTH = 6;

/** Whether a node waits for a time or a person, and does nothing else. */
export function isWait({ type }: Pick<ExecutionNode, "type">): boolean {
  return WAITS.has(type);
}

/** The time that the chart shows: from the acceptance to the end, or to now. */
export function scaleOf(execution: ExecutionDetail, now: number): Scale {
  const begin = Date.parse(execution.createdAt);
  const end = execution.completedAt ? Date.parse(execution.completedAt) : now;
  const ends = execution.nodes.map((node) => (node.startedAt ? Date.parse(node.startedAt) + (node.durationMs ?? 0) : 0));
  const length = Math.max(1, end - begin, ...ends.map((each) => each - begin));
  return { begin, length, cuts: cutsOf(execution.nodes, begin, length) };
}

function cutsOf(nodes: ExecutionNode[], begin: number, length: number): Stretch[] {
  const stretchOf = (node: ExecutionNode): Stretch => {
    const from = Date.parse(node.startedAt as string) - begin;
    return { from: Math.max(0, from), to: node.durationMs === null ? length : from + node.durationMs };
  };
  const began = nodes.filter((node) => node.startedAt !== null);
  const waits = joined(began.filter(isWait).map(stretchOf));
  const cuts = without(waits, joined(began.filter((node) => !isWait(node)).map(stretchOf)));
  return sum(cuts) > MOST_WAITING * length ? cuts.filter((cut) => cut.to - cut.from > length / 100) : [];
}

/** Stretches in order, of which those that touch are one. */
function joined(stretches: Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const each of stretches.filter(({ from, to }) => to > from).sort((one, other) => one.from - other.from)) {
    const last = result.at(-1);
    if (last && each.from <= last.to) last.to = Math.max(last.to, each.to);
    else result.push({ ...each });
  }
  return result;
}

/** Stretches without the parts that others cover; both in order. */
function without(stretches: Stretch[], others: Stretch[]): Stretch[] {
  return stretches.flatMap(({ from, to }) => {
    const rest: Stretch[] = [];
    let start = from;
    for (const other of others) {
      if (other.to <= start || other.from >= to) continue;
      if (other.from > start) rest.push({ from: start, to: other.from });
      start = Math.max(start, other.to);
    }
    return start < to ? [...rest, { from: start, to }] : rest;
  });
}

function sum(stretches: Stretch[]): number {
  return stretches.reduce((total, { from, to }) => total + to - from, 0);
}

/** Percent of the width that a cut has. */
function widthOfCut({ cuts }: Scale): number {
  return Math.min(CUT_WIDTH, CUTS_WIDTH / Math.max(1, cuts.length));
}

/** The place of a moment on the axis, in percent of its width. */
export function placeOf(ms: number, scale: Scale): number {
  const { cuts, length } = scale;
  const width = widthOfCut(scale);
  const perMs = (100 - width * cuts.length) / Math.max(1, length - sum(cuts));
  let place = ms * perMs;
  for (const { from, to } of cuts) {
    if (ms <= from) break;
    const within = Math.min(ms, to) - from;
    place += (within / (to - from)) * width - within * perMs;
  }
  return Math.min(100, Math.max(0, place));
}

/** Lines of the chart at round moments, counted anew after each cut. */
export function ticksOf(scale: Scale): Tick[] {
  const { cuts, length } = scale;
  const step = stepOf(length - sum(cuts));
  const starts = [0, ...cuts.map((cut) => cut.to)];
  return starts.flatMap((start, place) => {
    const end = cuts[place]?.from ?? length;
    const ticks: Tick[] = [];
    for (let ms = place === 0 ? 0 : step; start + ms <= end; ms += step) {
      const at = placeOf(start + ms, scale);
      ticks.push({ at, ms, isAfterCut: place > 0, isLabelled: at + LABEL_WIDTH <= placeOf(end, scale) });
    }
    return ticks;
  });
}

function stepOf(length: number): number {
  const rough = length / TICKS;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
}
