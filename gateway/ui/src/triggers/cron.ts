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
    return cronstrue.toString(text, { use24HourTimeFormat: true });
  } catch {
    return "";
  }
}
