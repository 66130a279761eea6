import { parts } from "./parts";

/** A value as people read it: text as it is, all else as JSON. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value.join(", ");
  return JSON.stringify(value, null, 2);
}

const MARGIN = 60;

/** Cut the middle of a long text that is the same on both sides. */
function shorten(text: string): string {
  return text.length > 2 * MARGIN + 20 ? `${text.slice(0, MARGIN)} … ${text.slice(-MARGIN)}` : text;
}

/** A value with the parts marked in which it differs from another. */
export function Value({ value, other }: { value: unknown; other: unknown }) {
  const [text, against] = [textOf(value), textOf(other)];
  if (text === "") return <p className="value none">{value === undefined || value === null ? "not set" : "empty"}</p>;
  return (
    <p className="value">
      {parts(text, against).map(({ text: part, isSame }, place) =>
        isSame ? <span key={place}>{shorten(part)}</span> : <mark key={place}>{part}</mark>,
      )}
    </p>
  );
}
