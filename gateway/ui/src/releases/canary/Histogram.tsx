import type { Canary, CanaryFigures } from "../../api/releases";
import { duration } from "../../components/Ago";
import { percent } from "../words";
import { barsOf, placeOf } from "./histogram";

interface Props {
  figures: CanaryFigures;
  canary: Canary;
  version: number;
}

const MARKS = [0, 0.25, 0.5, 0.75, 1];

/** Times of both sides as bars, and the bound of the rule. The table beside it has the figures. */
export function Histogram({ figures, canary, version }: Props) {
  const bars = barsOf(figures.canary, figures.live, canary.maxP95Ms);
  if (!bars) return null;
  const { bounds, top } = bars;
  const height = (share: number | undefined): string => `${((share ?? 0) / top) * 100}%`;
  return (
    <figure className="histogram" aria-hidden="true">
      <figcaption className="row small">
        <span className="muted">Share of runs by time</span>
        <span className="side canary">Version {canary.version}, canary</span>
        <span className="side live">Version {version}</span>
      </figcaption>
      <div className="histogram-plot">
        {bounds.map((bound, place) => (
          <span key={bound} className="pair" title={`Up to ${duration(bound)}: ${percent(bars.canary[place] ?? 0)} of the canary's, ${percent(bars.live[place] ?? 0)} beside it`}>
            <span className="canary" style={{ height: height(bars.canary[place]) }} />
            <span className="live" style={{ height: height(bars.live[place]) }} />
          </span>
        ))}
        {figures.canary.p95Ms !== null && <Line ms={figures.canary.p95Ms} place={placeOf(bars, figures.canary.p95Ms)} name="p95" />}
        {canary.maxP95Ms ? <Line ms={canary.maxP95Ms} place={placeOf(bars, canary.maxP95Ms)} name="bound" /> : null}
      </div>
      <div className="histogram-axis small muted figures">
        {MARKS.map((mark) => (
          <span key={mark}>{duration(timeAt(bounds, mark))}</span>
        ))}
      </div>
    </figure>
  );
}

function Line({ ms, place, name }: { ms: number; place: number; name: "p95" | "bound" }) {
  return (
    <span className={`line ${name} ${place > 0.7 ? "to-left" : ""}`} style={{ left: `${place * 100}%` }}>
      <span className="small figures">{name === "p95" ? `p95 ${duration(ms)}` : `at most ${duration(ms)}`}</span>
    </span>
  );
}

function timeAt(bounds: number[], place: number): number {
  const [first = 1, second = 2] = bounds;
  const low = (first * first) / second;
  return low * ((bounds.at(-1) ?? second) / low) ** place;
}
