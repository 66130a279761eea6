/** Cron expressions in words. The server decides which ones are right. */

import cronstrue from "cronstrue";

const FIELDS = 5;
const MACROS: Record<string, string> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
};

/** The times of an expression in words; empty where it cannot be read. */
export function cronInWords(cron: string): string {
  const text = MACROS[cron.trim().toLowerCase()] ?? cron.trim();
  if (text.split(/\s+/).length !== FIELDS) return "";
  try {
    return exactly(cronstrue.toString(text, { use24HourTimeFormat: true }), text);
  } catch {
    return "";
  }
}

const MINUTES = 60;
const HOURS = 24;

/** The words, with the facts that they leave open: steps that begin anew, and two rules for days. */
function exactly(words: string, cron: string): string {
  const [minute = "", hour = "", day = "", , weekday = ""] = cron.split(/\s+/);
  const steps = [beginsAnew(minute, MINUTES) && "each hour", beginsAnew(hour, HOURS) && "each day"].filter(Boolean);
  const counted = steps.length > 0 ? `${words} (counted anew ${steps.join(" and ")})` : words;
  if (isAny(day) || isAny(weekday)) return counted;
  // As cron has it: a field that begins with a star takes days away, others add days.
  if (day.startsWith("*") || weekday.startsWith("*")) return `${counted} (only days that fit both)`;
  return `${counted.replace(", and on ", ", or on ")} (each day that fits either)`;
}

/** Whether the step of a field does not fill its hour or day, so that one interval is shorter. */
function beginsAnew(field: string, length: number): boolean {
  const step = Number(/^\*\/(\d+)$/.exec(field)?.[1] ?? 1);
  return length % step !== 0;
}

function isAny(field: string): boolean {
  return field === "*" || field === "*/1";
}
