/** The difference of two texts by line. */

import { inCommon } from "../../editor/difference/parts";

export interface Line {
  kind: "same" | "added" | "removed";
  text: string;
  /** Number in the text that has the line; in the second one where both have it. */
  number: number;
}

export function differenceOf(before: string, after: string): Line[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [kept, held] = [inCommon(old, now), inCommon(now, old)];
  const lines: Line[] = [];
  for (let left = 0, right = 0; left < old.length || right < now.length; ) {
    if (left < old.length && !kept[left]) lines.push({ kind: "removed", text: old[left] ?? "", number: ++left });
    else if (right < now.length && !held[right]) lines.push({ kind: "added", text: now[right] ?? "", number: ++right });
    else {
      lines.push({ kind: "same", text: now[right] ?? "", number: ++right });
      left++;
    }
  }
  return lines;
}

/** Numbers of the lines of `after` that `before` does not have. */
export function changedLines(before: string, after: string): Set<number> {
  if (before === after) return new Set();
  const held = inCommon(after.split("\n"), before.split("\n"));
  return new Set(held.flatMap((isKept, place) => (isKept ? [] : [place + 1])));
}

/** The changes with a few lines around them; null stands for lines that are left out. */
export function excerpt(lines: readonly Line[], around = 3): (Line | null)[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, place) => {
    if (kind === "same") return;
    for (let each = place - around; each <= place + around; each++) near.add(each);
  });
  const shown: (Line | null)[] = [];
  lines.forEach((line, place) => {
    if (near.has(place)) shown.push(line);
    else if (shown.length === 0 || shown.at(-1) !== null) shown.push(null);
  });
  return shown;
}
