/** Values that an expression in CEL sees, and the paths that lead to them. */

/** Values by the names of the variables, in the order in which they are offered. */
export type Variables = Readonly<Record<string, unknown>>;

/** One value: the expression that gives it, and the value. */
export interface ValuePath {
  text: string;
  value: unknown;
}

const MOST_PATHS = 500;
const DEEPEST = 8;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that CEL keeps for itself: a member of such a name is read by its text. */
const RESERVED = new Set(
  "as break const continue else false for function if import in let loop namespace null package return true var void while".split(" "),
);
const LONGEST_WORDS = 60;
/** A path that ends at the caret, complete or not. */
const OPEN_PATH = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]*|\[(?:\d+|"[^"\n]*"?)?\]?)*$/;

/** Return the expression of a member of an object. */
export function memberPath(base: string, name: string): string {
  return IDENTIFIER.test(name) && !RESERVED.has(name) ? `${base}.${name}` : `${base}[${JSON.stringify(name)}]`;
}

/** List the values, those near the root first; of a list only its first item. */
export function pathsOf(variables: Variables): ValuePath[] {
  const found: ValuePath[] = [];
  let level: ValuePath[] = Object.entries(variables).map(([text, value]) => ({ text, value }));
  for (let depth = 0; depth < DEEPEST && level.length > 0 && found.length < MOST_PATHS; depth++) {
    found.push(...level);
    level = level.flatMap(below);
  }
  return found.slice(0, MOST_PATHS);
}

function below({ text, value }: ValuePath): ValuePath[] {
  if (Array.isArray(value)) return value.length > 0 ? [{ text: `${text}[0]`, value: value[0] }] : [];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).map(([name, each]) => ({ text: memberPath(text, name), value: each }));
}

/** Return the path that is being typed at the caret and the place where it begins; null where there is none. */
export function openPathAt(text: string, caret: number): { from: number; sought: string } | null {
  const before = text.slice(0, caret);
  // An odd number of quotes: the caret is inside a text, unless the text names a member of a path.
  const match = OPEN_PATH.exec(before);
  if (!match) return null;
  const from = match.index;
  if (/[.\w]/.test(before[from - 1] ?? "") || isInText(before.slice(0, from))) return null;
  return { from, sought: match[0] };
}

function isInText(before: string): boolean {
  let quote = "";
  for (let place = 0; place < before.length; place++) {
    const each = before[place] as string;
    if (quote !== "" && each === "\\") place++;
    else if (quote === "" && (each === '"' || each === "'")) quote = each;
    else if (each === quote) quote = "";
  }
  return quote !== "";
}

const MOST_SUGGESTIONS = 8;

/** Return the paths that fit what is typed: those that begin with it, then those whose last member does, then those that contain it. */
export function fitting(paths: readonly ValuePath[], sought: string): ValuePath[] {
  const words = sought.toLowerCase();
  const ranked = paths
    .filter((each) => each.text !== sought)
    .map((each) => ({ each, rank: rankOf(each.text.toLowerCase(), words) }))
    .filter(({ rank }) => rank < 3);
  ranked.sort((one, other) => one.rank - other.rank);
  return ranked.slice(0, MOST_SUGGESTIONS).map(({ each }) => each);
}

function rankOf(text: string, words: string): number {
  if (text.startsWith(words)) return 0;
  if (/[^\w]/.test(words)) return 3;
  if (text.split(/[."[\]]+/).some((part) => part.startsWith(words))) return 1;
  return text.includes(words) ? 2 : 3;
}

/** A value in a few words. */
export function valueInWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? "a list of 1 item" : `a list of ${value.length} items`;
  if (value !== null && typeof value === "object") return "an object";
  const text = JSON.stringify(value) ?? "null";
  return text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)}…` : text;
}
