import { type FocusEvent, useEffect, useRef, useState } from "react";
import type { GraphNode } from "../../../api/types";
import { Button } from "../../../components/Button";
import { TryExpression } from "../../running/TryExpression";
import { CodeArea, type Piece } from "../template/CodeArea";

interface Props {
  node: GraphNode;
  text: string;
  onChange: (text: string) => void;
  reasons: string[];
  id?: string;
  label?: string;
  describedBy?: string;
}

/** The position that a problem names, as a place in the text. */
function placeOf(reasons: readonly string[], text: string): { at: number; words: string } | null {
  for (const reason of reasons) {
    const match = /line (\d+), column (\d+)/.exec(reason);
    if (!match) continue;
    const [line, column] = [Number(match[1]), Number(match[2])];
    const before = text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    return { at: Math.min(before + column - 1, text.length), words: `line ${line}, column ${column}` };
  }
  return null;
}

/** The word at a place, or the nearest one before it. */
function marked(text: string, at: number): Piece[] {
  const word = /^\s*([\p{L}\p{N}_]+|\S)/u.exec(text.slice(at));
  const from = word ? at : Math.max(0, text.trimEnd().length - 1);
  const to = word ? at + word[0].length : text.trimEnd().length;
  return [{ text: text.slice(0, from) }, { text: text.slice(from, to), look: "broken" }, { text: text.slice(to) }];
}

/** Variables of the expression: `value`, and those that the node names. */
function variablesOf(node: GraphNode): string[] {
  const named = Array.isArray(node.data.variables) ? node.data.variables : [];
  return ["value", ...named.filter((each): each is string => typeof each === "string")];
}

/** An expression in CEL, with its variables at hand and the place of its fault marked. */
export function ExpressionEditor({ node, text, onChange, reasons, id, label, describedBy }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [checked, setChecked] = useState({ text, reasons });
  // A fault is about the text that was checked: it is marked until the text changes.
  useEffect(() => setChecked({ text, reasons }), [reasons.join("\n")]);
  const place = reasons.length > 0 && checked.text === text ? placeOf(reasons, text) : null;
  const goTo = (at: number): void => {
    area.current?.focus();
    area.current?.setSelectionRange(at, at);
  };
  return (
    <div className="expression">
      <CodeArea
        id={id}
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={reasons.length > 0 || undefined}
        areaRef={area}
        isCode
        rows={2}
        placeholder="value"
        value={text}
        onChange={onChange}
        pieces={place ? marked(text, place.at) : undefined}
        onFocus={(event: FocusEvent<HTMLTextAreaElement>) => noteArea(event.target)}
      />
      <p className="row hint">
        Variables:
        {variablesOf(node).map((each) => (
          <button type="button" className="chip" key={each} aria-label={`Insert ${each}`} onClick={() => area.current && insert(area.current, each)}>
            {each}
          </button>
        ))}
        {place && (
          <Button look="quiet" isCompact onClick={() => goTo(place.at)}>
            Go to {place.words}
          </Button>
        )}
      </p>
      <TryExpression node={node} text={text} />
    </div>
  );
}

let lastArea: HTMLTextAreaElement | null = null;

/** Remember the area into which a function that is pressed goes. */
export function noteArea(area: HTMLTextAreaElement): void {
  lastArea = area;
}

/** Insert a text at the caret, in place of the selection. */
function insert(area: HTMLTextAreaElement, text: string): void {
  area.focus();
  document.execCommand("insertText", false, text);
}

/** Insert into the expression that was edited last, else into the first one near `beside`. */
export function insertIntoLast(beside: HTMLElement, text: string): void {
  const near = beside.closest("[data-field]")?.querySelector<HTMLTextAreaElement>(".expression textarea");
  const area = lastArea?.isConnected ? lastArea : near;
  if (area) insert(area, text);
}
