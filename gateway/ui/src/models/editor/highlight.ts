/** Colours of TOML: pieces of a line with the class of each. */

export interface Piece {
  text: string;
  look?: "comment" | "table" | "key" | "text" | "value";
}

const TOKENS = /(#.*$)|("(?:[^"\\]|\\.)*"?|'[^']*'?)|(\b(?:true|false)\b|(?<![\w-])[+-]?\d[\d_.:eTZ+-]*)/g;
const HEADER = /^\s*\[\[?[^\]]*\]\]?/;
const KEY = /^\s*(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*(?=\s*=)/;

export function piecesOf(line: string): Piece[] {
  const first = HEADER.exec(line)?.[0] ?? KEY.exec(line)?.[0] ?? "";
  const pieces: Piece[] = first ? [{ text: first, look: HEADER.test(first) ? "table" : "key" }] : [];
  let end = first.length;
  for (const match of line.slice(end).matchAll(TOKENS)) {
    const at = first.length + match.index;
    if (at > end) pieces.push({ text: line.slice(end, at) });
    pieces.push({ text: match[0], look: match[1] !== undefined ? "comment" : match[2] !== undefined ? "text" : "value" });
    end = at + match[0].length;
  }
  if (end < line.length) pieces.push({ text: line.slice(end) });
  return pieces;
}
