/** A value as people read it: text as it is, all else as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value.join(", ");
  return JSON.stringify(value, null, 2);
}

/** How much of two texts is the same at their begin and end, in whole words. */
function common(one: string, other: string): [number, number] {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start++;
  let end = 0;
  while (end < most - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  while (start > 0 && /\w/.test(one[start - 1] ?? "")) start--;
  while (end > 0 && /\w/.test(one[one.length - end] ?? "")) end--;
  return [start, end];
}

const MARGIN = 60;

/** A value with the part marked in which it differs from another. */
export function Value({ value, other }: { value: unknown; other: unknown }) {
  const [text, against] = [textOf(value), textOf(other)];
  if (text === "") return <p className="value none">{value === undefined || value === null ? "not set" : "empty"}</p>;
  const [start, end] = against === "" ? [0, 0] : common(text, against);
  const [before, middle, after] = [text.slice(0, start), text.slice(start, text.length - end), text.slice(text.length - end)];
  return (
    <p className="value">
      {before.length > MARGIN ? `…${before.slice(-MARGIN)}` : before}
      {middle && <mark>{middle}</mark>}
      {after.length > MARGIN ? `${after.slice(0, MARGIN)}…` : after}
    </p>
  );
}
