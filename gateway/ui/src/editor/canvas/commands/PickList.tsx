import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import type { Point } from "../../document/document";
import { Floating } from "./Floating";

export interface Option {
  key: string;
  label: string;
  hint?: string;
  icon?: ReactNode;
}

interface Props<T extends Option> {
  at: Point;
  title: string;
  /** The options for a text that is sought. */
  find: (sought: string) => readonly T[];
  none: string;
  onPick: (option: T) => void;
  onClose: () => void;
}

const SHOWN = 60;

/** A search box with its list, for pointer and keyboard. */
export function PickList<T extends Option>({ at, title, find, none, onPick, onClose }: Props<T>) {
  const id = useId();
  const [sought, setSought] = useState("");
  const [place, setPlace] = useState(0);
  const options = find(sought).slice(0, SHOWN);
  const active = options[Math.min(place, options.length - 1)];
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length > 0) {
      event.preventDefault();
      const to = (Math.min(place, options.length - 1) + step + options.length) % options.length;
      setPlace(to);
      document.getElementById(`${id}-${to}`)?.scrollIntoView({ block: "nearest" });
    }
    if (event.key === "Enter" && active) {
      event.preventDefault();
      onPick(active);
    }
  };
  return (
    <Floating at={at} onClose={onClose} className="pick-list" role="dialog" aria-label={title}>
      <label htmlFor={id} className="pick-title">
        {title}
      </label>
      <input
        id={id}
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={active && `${id}-${options.indexOf(active)}`}
        autoComplete="off"
        placeholder="Search"
        value={sought}
        onChange={(event) => {
          setSought(event.target.value);
          setPlace(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={title} tabIndex={-1}>
        {options.map((option, at) => (
          <li
            key={option.key}
            id={`${id}-${at}`}
            role="option"
            aria-selected={option === active}
            onPointerMove={() => setPlace(at)}
            onClick={() => onPick(option)}
          >
            {option.icon}
            <span className="pick-label">{option.label}</span>
            {option.hint && <span className="pick-hint">{option.hint}</span>}
          </li>
        ))}
      </ul>
      {options.length === 0 && <p className="hint pick-none">{none}</p>}
    </Floating>
  );
}
