import { useEffect, useState } from "react";
import { duration } from "../../../components/Ago";

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

/** The time until a moment, as it passes. */
export function TimeLeft({ until }: { until: string }) {
  const left = Date.parse(until) - useClock();
  // Whole seconds, without tenths that a clock of seconds makes jump.
  return (
    <time dateTime={until} title={new Date(until).toLocaleString("en")}>
      {left < SECOND_MS ? "less than 1 s" : duration(Math.ceil(left / SECOND_MS) * SECOND_MS).replace(".0", "")}
    </time>
  );
}
