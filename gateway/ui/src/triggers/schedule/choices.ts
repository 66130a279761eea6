/** Cron expressions by their parts: the time of the day, the days of the week, the day of the month. */

/** An expression that is due once on each of its days. */
export interface DailyParts {
  /** "09:30". */
  time: string;
  /** Days of the week from 0, Sunday. */
  weekdays: number[];
  /** Day of the month, empty for every one. */
  day: string;
}

export interface Choice {
  name: string;
  cron: string;
  fits: (parts: DailyParts) => boolean;
}

export const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const WORKDAYS = [1, 2, 3, 4, 5];
const never = (): boolean => false;

export const CHOICES: Choice[] = [
  { name: "Every 5 minutes", cron: "*/5 * * * *", fits: never },
  { name: "Every hour", cron: "0 * * * *", fits: never },
  { name: "Every day", cron: "0 9 * * *", fits: ({ day, weekdays }) => !day && weekdays.length === EVERY_DAY.length },
  { name: "On weekdays", cron: "0 9 * * 1-5", fits: ({ weekdays }) => weekdays.join() === WORKDAYS.join() },
  { name: "Every week", cron: "0 9 * * 1", fits: ({ weekdays }) => weekdays.length === 1 },
  { name: "Every month", cron: "0 9 1 * *", fits: ({ day }) => day !== "" },
];

const DAILY = /^(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\*|[0-7](?:[-,][0-7])*)$/;
const HIGHEST = { minute: 59, hour: 23, day: 31 };

/** The expression with one space between its fields. */
function tidy(cron: string): string {
  return cron.trim().replace(/\s+/g, " ");
}

/** The parts of an expression, or null where it has others than these. */
export function partsOf(cron: string): DailyParts | null {
  const [, minute = "", hour = "", day = "", days = ""] = DAILY.exec(tidy(cron)) ?? [];
  if (minute === "" || Number(minute) > HIGHEST.minute || Number(hour) > HIGHEST.hour) return null;
  const weekdays = days === "*" ? EVERY_DAY : readDays(days);
  const isMonthly = day !== "*";
  // With both a day of the month and days of the week, either is enough: no control says that.
  if (weekdays === null || (isMonthly && (days !== "*" || Number(day) < 1 || Number(day) > HIGHEST.day))) return null;
  return { time: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`, weekdays, day: isMonthly ? String(Number(day)) : "" };
}

function readDays(text: string): number[] | null {
  const days = new Set<number>();
  for (const each of text.split(",")) {
    const [first = 0, last = first, ...more] = each.split("-").map(Number);
    if (more.length > 0 || last < first) return null;
    for (let day = first; day <= last; day++) days.add(day % EVERY_DAY.length);
  }
  return [...days].sort();
}

/** The expression of parts. */
export function cronOf({ time, weekdays, day }: DailyParts): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  return `${minute} ${hour} ${day || "*"} * ${day ? "*" : writeDays(weekdays)}`;
}

function writeDays(days: number[]): string {
  if (days.length === EVERY_DAY.length) return "*";
  const [first = 0, last = 0] = [days[0], days.at(-1)];
  const isRange = days.length > 2 && last - first === days.length - 1;
  return isRange ? `${first}-${last}` : days.join();
}

/** Whether an expression is this choice, at any time of the day. */
export function isChoice(cron: string, choice: Choice): boolean {
  const parts = partsOf(cron);
  return parts ? choice.fits(parts) : tidy(cron) === choice.cron;
}

/** The expression of a choice, which keeps the time of the day that is set. */
export function choose(choice: Choice, before: string): string {
  const [parts, kept] = [partsOf(choice.cron), partsOf(before)];
  return parts && kept ? cronOf({ ...parts, time: kept.time }) : choice.cron;
}
