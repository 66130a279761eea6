import { type Ref, type TextareaHTMLAttributes, useImperativeHandle, useRef } from "react";

export interface Piece {
  text: string;
  /** Class of the mark; a piece without one is plain text. */
  look?: string;
}

interface Props extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange" | "value"> {
  value: string;
  onChange: (text: string) => void;
  /** The same text in pieces, of which some are marked. */
  pieces?: readonly Piece[];
  isCode?: boolean;
  areaRef?: Ref<HTMLTextAreaElement>;
}

/** A text area that grows with its text; marks lie behind the text, so that writing stays the browser's own. */
export function CodeArea({ value, onChange, pieces, isCode, areaRef, rows = 3, ...rest }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(areaRef, () => area.current as HTMLTextAreaElement);
  return (
    <div className={isCode ? "code-area mono" : "code-area"} data-invalid={rest["aria-invalid"] || undefined}>
      <div className="code-area-grid">
        <pre aria-hidden="true">
          {(pieces ?? [{ text: value }]).map((piece, place) =>
            piece.look ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity
              <mark key={place} className={piece.look}>
                {piece.text}
              </mark>
            ) : (
              piece.text
            ),
          )}
          {/* Without it, the last empty line has no height. */}
          {"\u200b"}
        </pre>
        <textarea
          ref={area}
          spellCheck={isCode ? false : undefined}
          rows={rows}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        />
      </div>
    </div>
  );
}

/** Put a text in place of a part of the area's text, as if it were typed, with the caret behind it. */
export function replaceRange(area: HTMLTextAreaElement, from: number, to: number, text: string): void {
  area.focus();
  area.setSelectionRange(from, to);
  // The only way that keeps the browser's own undo inside the area; React hears of it as of typing.
  document.execCommand("insertText", false, text);
}
