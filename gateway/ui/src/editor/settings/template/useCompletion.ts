import { type KeyboardEvent, useId, useRef, useState } from "react";

/** The part of a text before the caret that may be completed. */
interface OpenPart {
  from: number;
  sought: string;
}

interface Options<Suggestion> {
  text: string;
  openAt: (text: string, caret: number) => OpenPart | null;
  suggest: (sought: string) => Suggestion[];
  /** Puts a suggestion in place of the text from `from` to the caret. */
  complete: (area: HTMLTextAreaElement, from: number, caret: number, suggestion: Suggestion) => void;
}

/**
 * Completion of the text at the caret of a `CodeArea`, by keys and from a list.
 *
 * `follow` looks for a part to complete where the caret is now, and `begin` does so after a change of the text.
 */
export function useCompletion<Suggestion>({ text, openAt, suggest, complete }: Options<Suggestion>) {
  const area = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [place, setPlace] = useState(0);
  const open = caret === null ? null : openAt(text, caret);
  const suggestions = open ? suggest(open.sought) : [];
  const active = Math.min(place, suggestions.length - 1);
  const follow = (): void => {
    const at = area.current;
    setCaret(at && at.selectionStart === at.selectionEnd ? at.selectionStart : null);
  };
  const begin = (): void => {
    setPlace(0);
    follow();
  };
  const choose = (suggestion: Suggestion): void => {
    if (!open || !area.current || caret === null) return;
    complete(area.current, open.from, caret, suggestion);
    setCaret(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (suggestions.length === 0) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = suggestions[active];
    if (step) setPlace((active + step + suggestions.length) % suggestions.length);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen) choose(chosen);
    else if (event.key === "Escape") setCaret(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const areaProps = {
    areaRef: area,
    "aria-autocomplete": "list" as const,
    "aria-controls": suggestions.length > 0 ? list : undefined,
    "aria-activedescendant": suggestions.length > 0 ? `${list}-${active}` : undefined,
    onBlur: () => setCaret(null),
    onKeyDown,
  };
  return { list, suggestions, active, choose, follow, begin, areaProps };
}
