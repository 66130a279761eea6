/** Tags as one text: commas separate them, and one of a tag's own has a backslash before it. */

const MOST_TAGS = 10;
const MOST_CHARACTERS = 64;

export function splitTags(text: string): string[] {
  const found = text.split(/(?<!\\),/).map((each) => each.trim().replaceAll("\\,", ","));
  return [...new Set(found.filter(Boolean))];
}

export function joinTags(tags: string[]): string {
  return tags.map((each) => each.replaceAll(",", "\\,")).join(", ");
}

/** The fault of tags, in a sentence; empty without one. */
export function tagFault(tags: string[]): string {
  if (tags.length > MOST_TAGS) return `At most ${MOST_TAGS} tags; these are ${tags.length}.`;
  const long = tags.find((each) => [...each].length > MOST_CHARACTERS);
  return long ? `A tag has at most ${MOST_CHARACTERS} characters; "${[...long].slice(0, 20).join("")}…" has ${[...long].length}.` : "";
}
