import { type ReactNode, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colourOf, useTheme } from "./colours";
import { stacked } from "./series";

interface Props {
  title: string;
  /** Of each line: its name, the token of its colour, and its values at the times. */
  names: string[];
  tokens: string[];
  values: (number | null)[][];
  times: number[];
  /** Length of a bucket in milliseconds. */
  length: number;
  /** Bars on top of each other, in place of lines. */
  isStacked: boolean;
  /** Whether a mark of the axis may be a fraction. */
  hasFractions?: boolean;
  /** Top of the axis while all values are lower. */
  least?: number;
  format: (value: number) => string;
  /** A click on a place of a line, by its position. */
  onPick?: (line: number, at: number) => void;
  /** A drag over a part of the time, from and to in milliseconds. */
  onZoom?: (from: number, to: number) => void;
  /** Names of the lines where no table below has them. */
  legend?: ReactNode;
}

const MOST_POINTS = 60;
const LEAST_AXIS_PX = 56;
/** About the width of a character of a mark, and the space beside the mark. */
const CHARACTER_PX = 7;
const SPACE_PX = 14;
const HEIGHT_PX = 170;
/** A shorter drag is a click. */
const LEAST_DRAG_PX = 6;

/** Values over time: as bars on top of each other, or as lines. */
export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const { values, times, isStacked, title, legend } = props;
  const latest = useRef(props);
  latest.current = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn follows from these
  useEffect(() => {
    const host = place.current;
    if (!host || times.length === 0) return undefined;
    const plot = draw(host, () => latest.current);
    const watch = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: HEIGHT_PX }));
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [values, isStacked, times, theme]);
  return (
    <figure className="panel chart">
      <figcaption>{title}</figcaption>
      {legend}
      {/* The table below has the same figures. */}
      <div ref={place} className="plot" aria-hidden="true" />
    </figure>
  );
}

function draw(host: HTMLElement, props: () => Props): uPlot {
  const { values, names, tokens, times, length, format, isStacked, hasFractions = !isStacked, least = 1, onZoom } = props();
  const isDense = times.length > MOST_POINTS;
  const drawn = isStacked ? stacked(values) : values;
  // The highest sum is drawn first, and those below it over it.
  const order = isStacked ? drawn.map((_, line) => drawn.length - 1 - line) : drawn.map((_, line) => line);
  let pressedAt = 0;
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  const lineAt = (plot: uPlot): number | undefined => {
    const { idx, top } = plot.cursor;
    if (idx === null || idx === undefined || top === undefined) return undefined;
    const value = plot.posToVal(top, "y");
    if (isStacked) {
      const hit = drawn.findIndex((sums) => (sums[idx] ?? 0) >= value);
      return hit < 0 ? undefined : hit;
    }
    return nearest(drawn, idx, value);
  };
  const first = times[0] ?? 0;
  const at = (place: number): number => (first + place * length) / 1_000;
  const axis = { stroke: colourOf("--muted"), grid: { stroke: colourOf("--line"), width: 1 }, ticks: { show: false } };
  const plot = new uPlot(
    {
      width: host.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: onZoom !== undefined, y: false, setScale: false } },
      scales: { x: { time: true, range: () => [at(0), at(times.length)] }, y: { range: (_, __, high) => [0, Math.max(high, least) * 1.08] } },
      axes: [
        { ...axis, size: 28, grid: { show: false }, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickOf(tick * 1_000, step)) },
        { ...axis, size: widthOf, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) || hasFractions ? format(tick) : "")) },
      ],
      series: [{}, ...order.map((line) => look(colourOf(tokens[line] as string), isStacked, isDense && isFilled(values[line])))],
      hooks: {
        setSelect: [(self) => zoom(self, props().onZoom)],
        setCursor: [(self) => show(self, tip, lineAt(self), { names, values, times, format, isPickable: props().onPick !== undefined })],
      },
    },
    // In the middle of their buckets.
    [times.map((_, place) => at(place + 0.5)), ...order.map((line) => drawn[line])] as uPlot.AlignedData,
    host,
  );
  plot.over.append(tip);
  plot.over.addEventListener("mousedown", ({ clientX }) => {
    pressedAt = clientX;
  });
  plot.over.addEventListener("click", ({ clientX }) => {
    if (Math.abs(clientX - pressedAt) >= LEAST_DRAG_PX) return;
    const line = lineAt(plot);
    const picked = times[plot.cursor.idx ?? -1];
    if (line !== undefined && picked !== undefined) props().onPick?.(line, picked);
  });
  return plot;
}

/** Tell which part of the time was dragged over, and take the mark away. */
function zoom(plot: uPlot, onZoom: Props["onZoom"]): void {
  if (!onZoom) return;
  const { left, width } = plot.select;
  if (width === 0) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (width < LEAST_DRAG_PX) return;
  onZoom(plot.posToVal(left, "x") * 1_000, plot.posToVal(left + width, "x") * 1_000);
}

/** Width of the axis at the left, which has the space of its longest mark. */
function widthOf(_: uPlot, marks: string[] | null): number {
  const longest = Math.max(0, ...(marks ?? []).map((mark) => mark.length));
  return Math.max(LEAST_AXIS_PX, longest * CHARACTER_PX + SPACE_PX);
}

/** Whether a line has so many values that it shows without points. */
function isFilled(values: (number | null)[] | undefined): boolean {
  return (values ?? []).filter((value) => value !== null).length > MOST_POINTS;
}

function look(colour: string, isStacked: boolean, isPlain: boolean): uPlot.Series {
  if (!isStacked) return { stroke: colour, width: isPlain ? 1.5 : 2, spanGaps: true, points: { show: !isPlain, size: 5, fill: colour } };
  const paths = uPlot.paths.bars?.({ size: [0.8, 48] });
  return { stroke: colour, fill: colour, width: 0, points: { show: false }, ...(paths && { paths }) };
}

const DAY_SECONDS = 86_400;
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });

/** A moment on the axis: the day where a step is one, or where it begins. */
function tickOf(at: number, step: number): string {
  const time = clock.format(at).replace("24:", "00:");
  return step >= DAY_SECONDS || time === "00:00" ? day.format(at) : time;
}

/** The line whose value is closest. */
function nearest(drawn: (number | null)[][], place: number, value: number): number | undefined {
  let best: number | undefined;
  let distance = Number.POSITIVE_INFINITY;
  drawn.forEach((line, index) => {
    const shown = line[place];
    if (shown === null || shown === undefined || Math.abs(shown - value) >= distance) return;
    best = index;
    distance = Math.abs(shown - value);
  });
  return best;
}

interface Shown {
  names: string[];
  values: (number | null)[][];
  times: number[];
  format: (value: number) => string;
  isPickable: boolean;
}

const moment = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

/** Name and value below the pointer. */
function show(plot: uPlot, tip: HTMLElement, line: number | undefined, { names, values, times, format, isPickable }: Shown): void {
  const { idx, left = 0, top = 0 } = plot.cursor;
  const value = line === undefined || idx === null || idx === undefined ? null : values[line]?.[idx];
  const isShown = value !== null && value !== undefined;
  tip.style.display = isShown ? "block" : "none";
  plot.over.style.cursor = isShown && isPickable ? "pointer" : "default";
  if (!isShown) return;
  tip.textContent = `${names[line as number]}: ${format(value)} · ${moment.format(times[idx as number])}`;
  tip.style.left = `${Math.min(left + 12, Math.max(0, plot.over.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, top - 36)}px`;
}
