import { duration, exactly, useClock } from "../../../components/Ago";

export const SECOND_MS = 1_000;

/** The time until a delay is over, second by second. */
export function Countdown({ until }: { until: string }) {
  // Whole seconds, without tenths that a clock of seconds makes jump.
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - useClock(SECOND_MS)) / SECOND_MS));
  return (
    <time dateTime={until} title={exactly(until)}>
      {seconds < 120 ? `${seconds} s` : duration(seconds * SECOND_MS)}
    </time>
  );
}
