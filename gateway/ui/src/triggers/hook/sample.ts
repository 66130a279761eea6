/** Sample events: the values that expressions of an inbound webhook see, and the paths that lead to them. */

export interface SampleEvent {
  body: unknown;
  /** Names are in lower case. */
  headers: Record<string, string>;
  query: Record<string, string>;
  method: string;
}

/** One value of a sample: the expression that gives it, and the value. */
export interface SamplePath {
  text: string;
  value: unknown;
}

/** Names of the variables, in the order in which they are offered. */
const VARIABLES = ["body", "headers", "query", "method"] as const;

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
function memberPath(base: string, name: string): string {
  return IDENTIFIER.test(name) && !RESERVED.has(name) ? `${base}.${name}` : `${base}[${JSON.stringify(name)}]`;
}

/** List the values of a sample, those near the root first; of a list only its first item. */
export function pathsOf(sample: SampleEvent): SamplePath[] {
  const found: SamplePath[] = [];
  let level: SamplePath[] = VARIABLES.map((name) => ({ text: name, value: sample[name] }));
  for (let depth = 0; depth < DEEPEST && level.length > 0 && found.length < MOST_PATHS; depth++) {
    found.push(...level);
    level = level.flatMap(below);
  }
  return found.slice(0, MOST_PATHS);
}

function below({ text, value }: SamplePath): SamplePath[] {
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
export function fitting(paths: readonly SamplePath[], sought: string): SamplePath[] {
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

/** The name that an expression ends with; empty where it is not a path to a member. */
function lastMember(path: string): string {
  return /(?:\.([A-Za-z_]\w*)|\["([^"]*)"\])$/.exec(path)?.slice(1).find(Boolean) ?? "";
}

export interface InputField {
  name: string;
  type: string;
}

const TEXTS = new Set(["text", "textarea", "pills", "image", "video", "audio"]);

/** Guess the expression of each field: the nearest value of the sample that has the field's name and fits its type. */
export function guessInputs(fields: readonly InputField[], sample: SampleEvent): Record<string, string> {
  // The first item of a list stands for no other.
  const paths = pathsOf(sample).filter((each) => each.text !== "method" && !each.text.includes("[0]"));
  const guessed: Record<string, string> = {};
  for (const { name, type } of fields) {
    const key = plain(name);
    const found = paths.find((each) => plain(lastMember(each.text)) === key && fits(type, each.value));
    if (found) guessed[name] = found.text;
  }
  return guessed;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function fits(type: string, value: unknown): boolean {
  if (type === "json") return true;
  if (TEXTS.has(type)) return typeof value === "string";
  if (type === "toggle") return typeof value === "boolean";
  return typeof value === "number";
}

/** Read a body as it is typed: JSON, else a text. */
export function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A body as it is shown and typed. */
export function bodyText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}
