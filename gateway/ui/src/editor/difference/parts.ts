/** Parts of a text that another text has too, word by word. */

interface TextPart {
  text: string;
  isSame: boolean;
}

const WORDS = /\w+|\s+|[^\w\s]/gu;
/** Most pairs of words that are compared; beyond that, only begin and end are. */
const MOST_PAIRS = 250_000;

export function parts(text: string, other: string): TextPart[] {
  const [words, others] = [text.match(WORDS) ?? [], other.match(WORDS) ?? []];
  const flags = inCommon(words, others);
  const parts: TextPart[] = [];
  words.forEach((word, place) => {
    const last = parts.at(-1);
    const isSame = flags[place] ?? false;
    if (last?.isSame === isSame) last.text += word;
    else parts.push({ text: word, isSame });
  });
  return parts;
}

/** For each word or line, whether the other sequence has it too. */
export function inCommon(words: readonly string[], others: readonly string[]): boolean[] {
  const least = Math.min(words.length, others.length);
  let start = 0;
  while (start < least && words[start] === others[start]) start++;
  let end = 0;
  while (end < least - start && words.at(-1 - end) === others.at(-1 - end)) end++;
  const [middle, against] = [words.slice(start, words.length - end), others.slice(start, others.length - end)];
  const isCommon = middle.length * against.length <= MOST_PAIRS ? common(middle, against) : middle.map(() => false);
  return [...words.slice(0, start).map(() => true), ...isCommon, ...words.slice(words.length - end).map(() => true)];
}

/** For each word, whether it belongs to the longest sequence that both have. */
function common(words: readonly string[], others: readonly string[]): boolean[] {
  const width = others.length + 1;
  const lengths = new Uint32Array((words.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = words.length - 1; row >= 0; row--) {
    for (let column = others.length - 1; column >= 0; column--) {
      const isSame = words[row] === others[column];
      lengths[row * width + column] = isSame ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const isInCommon = words.map(() => false);
  for (let row = 0, column = 0; row < words.length && column < others.length; ) {
    if (words[row] === others[column]) {
      isInCommon[row] = true;
      row++;
      column++;
    } else if (at(row + 1, column) >= at(row, column + 1)) row++;
    else column++;
  }
  return isInCommon;
}
