/** The players of a page, so that the times of a transcript lead into the sound that it is of. */

import { useSyncExternalStore } from "react";

const players = new Set<HTMLMediaElement>();
const readers = new Set<() => void>();

/** Note a player as long as it is in the document; for `ref`. */
export function player(element: HTMLMediaElement | null): (() => void) | undefined {
  if (!element) return undefined;
  players.add(element);
  tell();
  return () => {
    players.delete(element);
    tell();
  };
}

function tell(): void {
  for (const notify of readers) notify();
}

/** Whether the page has a player. */
export function useHasPlayer(): boolean {
  return useSyncExternalStore(
    (notify) => {
      readers.add(notify);
      return () => readers.delete(notify);
    },
    () => players.size > 0,
  );
}

const TOLERANCE_SECONDS = 1;

/** The player to seek for segments at an element: one that is long enough, the last before the element if there is one. */
export function playerFor(place: Element, end: number): HTMLMediaElement | undefined {
  const fitting = [...players]
    .filter(({ duration }) => !Number.isFinite(duration) || duration + TOLERANCE_SECONDS >= end)
    .sort((one, other) => (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  return fitting.findLast((each) => each.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING) ?? fitting[0];
}

/** Play the sound of segments from a moment on. */
export function playFrom(place: Element, seconds: number, end: number): void {
  const found = playerFor(place, end);
  if (!found) return;
  found.currentTime = seconds;
  // A browser may refuse to play; the player then stands at the moment.
  void found.play().catch(() => undefined);
}
