/** Text of spreadsheets: files with separators, and what is copied from cells. */

/** Characters between two pauses, in which the page answers. */
const SLICE = 1_000_000;
const SEPARATORS = [",", ";", "\t", "|"];
const PROBED = 64_000;

/** Read a text as rows of cells. Cells in quotes may hold separators, quotes and line ends; blank lines are left out. */
export function* readRows(text: string, separator: string): Generator<string[]> {
  const plain = new RegExp(`[^${separator === "|" ? "\\|" : separator}\\r\\n]*`, "y");
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let row: string[] = [];
  while (at < text.length) {
    let cell: string;
    [cell, at] = text[at] === '"' ? readQuoted(text, at) : ["", at];
    plain.lastIndex = at;
    const rest = plain.exec(text)?.[0] ?? "";
    at += rest.length;
    row.push(cell + rest);
    if (text[at] === separator) {
      at += 1;
      if (at < text.length) continue;
      row.push("");
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    if (row.length > 1 || row[0] !== "") yield row;
    row = [];
  }
}

/** The text of a quoted cell, and the place after its last quote. */
function readQuoted(text: string, start: number): [string, number] {
  let cell = "";
  let from = start + 1;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end < 0) return [cell + text.slice(from), text.length];
    cell += text.slice(from, end);
    if (text[end + 1] !== '"') return [cell, end + 1];
    cell += '"';
    from = end + 2;
  }
}

/** The separator that splits the first rows into most cells, as many in each of them. */
export function separatorOf(text: string): string {
  const probe = text.slice(0, PROBED);
  const scores = SEPARATORS.map((separator) => {
    const counts: number[] = [];
    for (const row of readRows(probe, separator)) if (counts.push(row.length) >= 20) break;
    const [first = 1] = counts;
    return counts.filter((each) => each === first).length >= counts.length / 2 ? first : 1;
  });
  return SEPARATORS[scores.indexOf(Math.max(...scores))] as string;
}

/** Read the rows of a file, at most `most`, with pauses; null where there are more. */
export async function readFileRows(text: string, most: number): Promise<string[][] | null> {
  const rows: string[][] = [];
  let read = 0;
  for (const row of readRows(text, separatorOf(text))) {
    if (rows.push(row) > most) return null;
    read += row.reduce((sum, each) => sum + each.length, 0);
    if (read < SLICE) continue;
    read = 0;
    await new Promise((done) => setTimeout(done));
  }
  return rows;
}

/** The text of a file: UTF-8, or what older spreadsheets write. */
export async function textOf(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Cells on the clipboard; null for a text of one cell. */
export function pastedRows(clipboard: DataTransfer, isLong: boolean): string[][] | null {
  const text = clipboard.getData("text/plain");
  const isTable = text.includes("\t") || /<table/i.test(clipboard.getData("text/html"));
  // Lines that were copied from no table may be one text of a cell that takes several.
  if (!isTable && (isLong || !/[\r\n]./.test(text))) return null;
  const rows = [...readRows(text, "\t")];
  return rows.length > 0 ? rows : null;
}
