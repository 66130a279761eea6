/** Durations as people set them: an amount of a unit. */

export interface Unit {
  name: string;
  seconds: number;
}

export const UNITS: readonly Unit[] = [
  { name: "seconds", seconds: 1 },
  { name: "minutes", seconds: 60 },
  { name: "hours", seconds: 3_600 },
  { name: "days", seconds: 86_400 },
];

/** The largest unit of which a duration is a whole number; the fallback for 0. */
export function unitOf(seconds: number, fallback: Unit): Unit {
  if (seconds === 0) return fallback;
  return UNITS.findLast((unit) => seconds % unit.seconds === 0) ?? (UNITS[0] as Unit);
}

/** A reason about a number of seconds, in the words of the control. */
export function inUnits(reason: string): string {
  return reason.replace(/^\w+ must be a number of seconds from (\d+) to (\d+)/i, (_, least: string, most: string) => {
    const range = `at most ${durationInWords(Number(most))}`;
    return least === "0" ? `Must be a number, ${range}` : `Must be at least ${durationInWords(Number(least))} and ${range}`;
  });
}

/** A duration in words, such as "7 days" or "1 hour 30 minutes". */
export function durationInWords(seconds: number): string {
  const words: string[] = [];
  let rest = Math.round(seconds);
  for (const { name, seconds: size } of UNITS.toReversed()) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) words.push(`${amount.toLocaleString("en")} ${amount === 1 ? name.slice(0, -1) : name}`);
  }
  return words.join(" ") || "0 seconds";
}
