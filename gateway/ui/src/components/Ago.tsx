import { useEffect, useState } from "react";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

export function relative(at: string, now: number): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1_000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return words.format(Math.trunc(seconds / size), unit);
}

/** A moment of this browser's zone in full, as a title tells it. */
export function exactly(at: string): string {
  return exact.format(new Date(at));
}

/** The clock, read again after each pause. */
export function useClock(pauseMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), pauseMs);
    return () => clearInterval(timer);
  }, [pauseMs]);
  return now;
}

/** A moment as people say it, "3s ago", which follows the clock. */
export function Ago({ at }: { at: string }) {
  const now = useClock(5_000);
  return (
    <time dateTime={at} title={exactly(at)}>
      {relative(at, Math.max(now, Date.now()))}
    </time>
  );
}

export function credits(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "credit" : "credits"}`;
}

/** A length of time: below two minutes in seconds, else in its two largest units, such as "2 d 4 h". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const seconds = Math.floor(ms / 1_000);
  const place = LONG_UNITS.findIndex(({ size }) => seconds >= size);
  const [large, small] = LONG_UNITS.slice(place, place + 2) as [LongUnit, LongUnit];
  const rest = Math.floor((seconds % large.size) / small.size);
  return `${Math.floor(seconds / large.size)} ${large.name}${rest > 0 ? ` ${rest} ${small.name}` : ""}`;
}

interface LongUnit {
  name: string;
  /** In seconds. */
  size: number;
}

const LONG_UNITS: LongUnit[] = [
  { name: "d", size: 86_400 },
  { name: "h", size: 3_600 },
  { name: "min", size: 60 },
  { name: "s", size: 1 },
];

const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** A moment of this browser's zone, to the second. */
export function Moment({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at}>
      {day.format(date)}, {clock.format(date)}
    </time>
  );
}

/** The time from one moment to another, of any length. */
export function timeBetween(from: string, to: string): string {
  return duration(Math.max(0, Date.parse(to) - Date.parse(from)));
}
