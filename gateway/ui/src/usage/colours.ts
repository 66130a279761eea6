/** Colours of lines: tokens, read for the canvas, and anew when the theme changes. */

import { useSyncExternalStore } from "react";

const dark = matchMedia("(prefers-color-scheme: dark)");

const LINES = ["--accent", "--socket-text", "--socket-any", "--socket-video", "--socket-image", "--muted"];
const STATUSES: Record<string, string> = {
  completed: "--good",
  failed: "--bad",
  cancelled: "--warn",
  cancel_requested: "--socket-text",
  processing: "--accent",
};

export function useTheme(): string {
  return useSyncExternalStore(
    (notify) => (dark.addEventListener("change", notify), () => dark.removeEventListener("change", notify)),
    () => (dark.matches ? "dark" : "light"),
  );
}

/** The token of a line, by its place and, for statuses, by its key. */
export function tokenOf(place: number, key: string | null | undefined, by: string): string {
  const status = by === "status" ? STATUSES[key ?? ""] : undefined;
  return status ?? (LINES[place % LINES.length] as string);
}

export function colourOf(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
}
