import { Ago, exactly, useClock } from "../components/Ago";
import { isSoon, timeLeft } from "./words";

const RENEW_MS = 10_000;

const minute = new Intl.DateTimeFormat("en", { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

/** The moment until which one can answer, to the minute, in this browser's zone. */
export function Deadline({ until }: { until: string }) {
  return (
    <>
      until {minute.format(new Date(until))}, <TimeLeft until={until} />
    </>
  );
}

/** The moment at which a delay is over, and how far it is. */
export function Until({ until }: { until: string }) {
  return (
    <>
      {minute.format(new Date(until))}, <Ago at={until} />
    </>
  );
}

/** The time that is left to answer, which follows the clock; little of it is told with a warning. */
export function TimeLeft({ until }: { until: string }) {
  const now = useClock(RENEW_MS);
  const shown = (
    <time dateTime={until} title={exactly(until)}>
      {timeLeft(until, Math.max(now, Date.now()))} left
    </time>
  );
  return isSoon(until, now) ? <span className="badge warn">{shown}</span> : shown;
}
