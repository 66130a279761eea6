import { useEffect, useState } from "react";
import { duration, exactly } from "../../../components/Ago";

const SECOND_MS = 1_000;

/** The clock, once a second. */
export function useClock(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The time until a delay is over, second by second. */
export function Countdown({ until }: { until: string }) {
  // Whole seconds, without tenths that a clock of seconds makes jump.
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - useClock()) / SECOND_MS));
  return (
    <time dateTime={until} title={exactly(until)}>
      {seconds < 120 ? `${seconds} s` : duration(seconds * SECOND_MS)}
    </time>
  );
}
