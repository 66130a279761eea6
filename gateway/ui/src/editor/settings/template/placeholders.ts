/** Placeholders of templates, as the engine reads them. */

import type { Piece } from "./CodeArea";

const NAME = "[\\p{L}_][\\p{L}\\p{N}_-]{0,63}";
const PATH = "(?:\\.[\\p{L}\\p{N}_-]{1,128}|\\[\\d{1,9}\\])*";
const PLACEHOLDER = new RegExp(`\\{\\{\\s*(${NAME})(${PATH})\\s*\\}\\}`, "gu");
const IS_NAME = new RegExp(`^${NAME}$`, "u");
const SECRET = /^\.[A-Z][A-Z0-9_]{0,63}$/;

export interface Placeholder {
  /** Name of the socket; that of the secret where `isSecret`. */
  name: string;
  isSecret: boolean;
  from: number;
  to: number;
}

export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(PLACEHOLDER)].map((match) => {
    const path = match[2] ?? "";
    const isSecret = match[1] === "secret" && SECRET.test(path);
    const from = match.index;
    return { name: isSecret ? path.slice(1) : (match[1] as string), isSecret, from, to: from + match[0].length };
  });
}

/** Names of the sockets that placeholders of any text of these settings make. */
export function socketNames(value: unknown): Set<string> {
  const names = new Set<string>();
  const search = (part: unknown): void => {
    if (typeof part === "string") {
      for (const each of placeholdersOf(part)) if (!each.isSecret) names.add(each.name);
    } else if (part && typeof part === "object") {
      Object.values(part).forEach(search);
    }
  };
  search(value);
  return names;
}

/** The text in pieces: each placeholder with its look, and each `{{` that begins none as broken. */
export function piecesOf(text: string, look: (placeholder: Placeholder) => string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const each of placeholdersOf(text)) {
    pieces.push(...plain(text.slice(at, each.from)), { text: text.slice(each.from, each.to), look: look(each) });
    at = each.to;
  }
  return [...pieces, ...plain(text.slice(at))];
}

function plain(text: string): Piece[] {
  return text
    .split(/(\{\{(?:[^{}\n]*\}\}|[^{}\n]*))/)
    .filter(Boolean)
    .map((part) => (part.startsWith("{{") ? { text: part, look: "broken" } : { text: part }));
}

/** The unfinished placeholder before the caret. */
export function openAt(text: string, caret: number): { from: number; sought: string } | null {
  const match = /\{\{\s*([\p{L}\p{N}_.-]*)$/u.exec(text.slice(0, caret));
  return match ? { from: match.index, sought: match[1] ?? "" } : null;
}

/** A name for a placeholder, from names that may have other characters. */
export function asName(text: string): string {
  const made = text.replace(/[^\p{L}\p{N}_-]+/gu, "_").replace(/^[^\p{L}_]+/u, "").slice(0, 64);
  return IS_NAME.test(made) && made !== "secret" ? made : "input";
}
