/** Moments as RFC 3339 has them, and as clocks of time zones show them. */

const MINUTE_MS = 60_000;
const WITH_OFFSET = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;

/** A moment on the clock of a place: `at` as the field of a browser has it, `offset` in minutes east of UTC. */
export interface Local {
  at: string;
  offset: number;
}

/** A moment in its parts; null for a text that is none. */
export function parseMoment(text: string): Local | null {
  const found = WITH_OFFSET.exec(text.trim());
  if (!found || Number.isNaN(Date.parse(text))) return null;
  const [, date, time, seconds = "00", zone = "Z"] = found;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  const offset = /z/i.test(zone) ? 0 : (hours * 60 + minutes) * (zone.startsWith("-") ? -1 : 1);
  return { at: seconds === "00" ? `${date}T${time}` : `${date}T${time}:${seconds}`, offset };
}

/** Minutes that the clocks of a zone are ahead of UTC at a moment. */
export function offsetAt(zone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return Math.round((shown - ms) / MINUTE_MS);
}

/** The moment at which the clocks of a zone show `at`, as RFC 3339 has it. */
export function momentIn(zone: string, at: string): string {
  const asUtc = Date.parse(`${at}Z`);
  // The offset may change between the first guess and the moment, where clocks are set back or forward.
  const guessed = offsetAt(zone, asUtc);
  return momentAt(offsetAt(zone, asUtc - guessed * MINUTE_MS), at);
}

export function momentAt(offset: number, at: string): string {
  const seconds = at.length === "2026-12-01T09:00".length ? ":00" : "";
  return `${at}${seconds}${offset === 0 ? "Z" : offsetInWords(offset)}`;
}

/** An offset as "+05:30". */
export function offsetInWords(offset: number): string {
  const minutes = Math.abs(offset);
  const two = (count: number): string => String(count).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
