/** Undo and redo: the documents before and after the present one. */

export interface History<T> {
  past: readonly T[];
  present: T;
  future: readonly T[];
}

const STEPS = 200;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [] };
}

/** Go on to `next`; with `isSameStep`, one undo takes back this change and the one before it. */
export function record<T>(history: History<T>, next: T, isSameStep: boolean): History<T> {
  if (next === history.present) return history;
  const past = isSameStep ? history.past : [...history.past, history.present].slice(-STEPS);
  return { past, present: next, future: [] };
}

export function undo<T>({ past, present, future }: History<T>): History<T> {
  const previous = past.at(-1);
  if (previous === undefined) return { past, present, future };
  return { past: past.slice(0, -1), present: previous, future: [present, ...future] };
}

export function redo<T>({ past, present, future }: History<T>): History<T> {
  const [next, ...rest] = future;
  if (next === undefined) return { past, present, future };
  return { past: [...past, present], present: next, future: rest };
}

/** Make the same change to the present document and to all that undo and redo lead to. */
export function carry<T>({ past, present, future }: History<T>, change: (document: T) => T): History<T> {
  return { past: past.map(change), present: change(present), future: future.map(change) };
}
