/** Words for people who do not see the canvas. */

import { useSyncExternalStore } from "react";

let said = "";
const watchers = new Set<() => void>();

/** Have a screen reader say a sentence, after the present one. */
export function announce(sentence: string): void {
  // A sentence that is said again differs by a space, else it would not be heard.
  said = sentence === said ? `${sentence}\u00a0` : sentence;
  for (const notify of watchers) notify();
}

export function useAnnouncement(): string {
  return useSyncExternalStore(
    (notify) => (watchers.add(notify), () => watchers.delete(notify)),
    () => said,
  );
}
