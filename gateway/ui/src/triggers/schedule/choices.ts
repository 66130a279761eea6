/** Ready choices of times, and the time of the day inside of an expression. */

export const CHOICES: [string, string][] = [
  ["Every 5 minutes", "*/5 * * * *"],
  ["Every hour", "0 * * * *"],
  ["Every day", "0 9 * * *"],
  ["On weekdays", "0 9 * * 1-5"],
  ["Every week", "0 9 * * 1"],
  ["Every month", "0 9 1 * *"],
];

const AT_TIME = /^(\d{1,2}) (\d{1,2}) (\S+ \S+ \S+)$/;

/** The time of the day of an expression that has one; empty for others. */
export function timeOf(cron: string): string {
  const [, minute, hour] = AT_TIME.exec(cron.trim()) ?? [];
  if (minute === undefined || hour === undefined || Number(minute) > 59 || Number(hour) > 23) return "";
  return `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
}

/** The expression at another time of the day. */
export function atTime(cron: string, time: string): string {
  const [hour, minute] = time.split(":").map(Number);
  const days = AT_TIME.exec(cron.trim())?.[3];
  return days === undefined || hour === undefined || minute === undefined ? cron : `${minute} ${hour} ${days}`;
}

/** Whether an expression is this choice, at any time of the day. */
export function isChoice(cron: string, choice: string): boolean {
  const time = timeOf(choice);
  const text = cron.trim().replace(/\s+/g, " ");
  return text === choice || (time !== "" && timeOf(text) !== "" && atTime(text, time) === choice);
}
