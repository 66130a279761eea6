import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { Button } from "../../../components/Button";

interface Props<T> {
  rows: readonly T[];
  /** The name of a row for screen readers, such as "field name". */
  nameOf: (row: T, place: number) => string;
  pathOf: (place: number) => string;
  onChange: (rows: T[]) => void;
  children: (row: T, place: number) => ReactNode;
}

function moved<T>(rows: readonly T[], from: number, to: number): T[] {
  const rest = rows.filter((_, place) => place !== from);
  rest.splice(to, 0, rows[from] as T);
  return rest;
}

/** Keys of rows without ids: they follow the rows that this list moves and removes. */
function useKeys(count: number) {
  const next = useRef(count);
  const keys = useRef<number[]>([]);
  while (keys.current.length < count) keys.current.push(next.current++);
  keys.current.length = count;
  return keys;
}

/** The look of a row while one is dragged: a line marks its new place. */
function classOf(place: number, dragged: number | null, over: number | null): string | undefined {
  if (dragged === null) return undefined;
  if (place === dragged) return "dragged";
  if (place !== over) return undefined;
  return place < dragged ? "over before" : "over after";
}

/** Rows to put in order, by their handle with a pointer or with the arrow keys, and to remove. */
export function Sortable<T>({ rows, nameOf, pathOf, onChange, children }: Props<T>) {
  const keys = useKeys(rows.length);
  const list = useRef<HTMLUListElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const move = (from: number, to: number): void => {
    if (to < 0 || to >= rows.length || from === to) return;
    keys.current = moved(keys.current, from, to);
    onChange(moved(rows, from, to));
    setSaid(`${nameOf(rows[from] as T, from)} is number ${to + 1} of ${rows.length}`);
  };
  const remove = (place: number): void => {
    keys.current = keys.current.filter((_, each) => each !== place);
    onChange(rows.filter((_, each) => each !== place));
    setSaid(`${nameOf(rows[place] as T, place)} is removed`);
  };
  const press = (event: KeyboardEvent, place: number): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    move(place, place + step);
    const key = keys.current[place + step];
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-handle="${key}"]`)?.focus());
  };
  return (
    <>
      <ul className="sortable" ref={list}>
        {rows.map((row, place) => (
          <li
            key={keys.current[place]}
            className={classOf(place, dragged, over)}
            data-field={pathOf(place)}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(place);
            }}
            onDrop={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              move(dragged, place);
            }}
          >
            {children(row, place)}
            <div className="row-tools">
              <button
                type="button"
                className="handle"
                draggable
                data-handle={keys.current[place]}
                aria-label={`Reorder ${nameOf(row, place)}`}
                title="Drag, or press the arrow keys"
                onKeyDown={(event) => press(event, place)}
                onDragStart={(event) => {
                  event.dataTransfer.effectAllowed = "move";
                  event.dataTransfer.setData("text/plain", nameOf(row, place));
                  setDragged(place);
                }}
                onDragEnd={() => {
                  setDragged(null);
                  setOver(null);
                }}
              >
                ⠿
              </button>
              <Button look="quiet" isCompact className="remove" aria-label={`Remove ${nameOf(row, place)}`} onClick={() => remove(place)}>
                ×
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <p className="hidden-visually" role="status">
        {said}
      </p>
    </>
  );
}
