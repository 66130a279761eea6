/** The beginning of a file of text, and the rows of a table in it. */

import { useEffect, useState } from "react";
import { readRows, separatorOf } from "../many/csv";

export interface TextStart {
  text: string;
  /** Whether the file goes on. */
  isCut: boolean;
}

const MOST_BYTES = 65_536;
const REPLACEMENTS = /\ufffd+$/;

/** Read the beginning of a file at a path of this origin; null where it is gone. */
export async function readStart(path: string): Promise<TextStart | null> {
  const answer = await fetch(path, { headers: { range: `bytes=0-${MOST_BYTES - 1}` } }).catch(() => null);
  // An empty file has no first byte.
  if (answer?.status === 416) return { text: "", isCut: false };
  if (!answer?.ok) return null;
  const total = Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1] ?? 0);
  const text = await answer.text();
  const isCut = total > MOST_BYTES;
  return { text: isCut ? text.replace(REPLACEMENTS, "") : text, isCut };
}

export function useStart(path: string): TextStart | null | undefined {
  const [start, setStart] = useState<TextStart | null>();
  useEffect(() => {
    let isLeft = false;
    void readStart(path).then((found) => !isLeft && setStart(found));
    return () => {
      isLeft = true;
    };
  }, [path]);
  return start;
}

/** The rows of a CSV or TSV file of which the beginning is there; a row that is cut is left out. */
export function rowsOf({ text, isCut }: TextStart, isTabbed: boolean, most: number): string[][] {
  const rows: string[][] = [];
  for (const row of readRows(text, isTabbed ? "\t" : separatorOf(text))) if (rows.push(row) > most) break;
  if (isCut && rows.length <= most) rows.pop();
  return rows.slice(0, most);
}
