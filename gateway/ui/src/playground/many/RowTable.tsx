import { type ClipboardEvent, type Dispatch, type DragEvent, type KeyboardEvent, memo, type RefObject, type SyntheticEvent, useEffect, useState } from "react";
import type { Faults } from "../inputs";
import { isMediaKind } from "../media/kinds";
import { fileNameOf } from "../media/useUpload";
import { type Column, choicesOf, spelled } from "./cells";
import { pastedRows } from "./csv";
import { cellsOf, guess, isHead } from "./matching";
import { type Change, faultsOf, type Row } from "./rows";

const ROW_PX = 44;
/** Rows that are drawn above and below the view. */
const BEYOND = 12;
const FRAMES = 20;
const NO_FAULTS: Faults = {};

/** Move the caret to a cell, which may have to be drawn first. */
export function focusCell(frame: HTMLElement | null, place: number, name: string, frames = FRAMES): void {
  const cell = frame?.querySelector<HTMLElement>(`[data-row="${place}"] [data-column="${CSS.escape(name)}"]`);
  if (cell) return cell.focus();
  if (!frame || frames === 0) return;
  frame.scrollTop = (place - 2) * ROW_PX;
  requestAnimationFrame(() => focusCell(frame, place, name, frames - 1));
}

/** The first and the last row to draw, of those that scroll in the frame. */
function useDrawn(frame: RefObject<HTMLElement | null>, count: number): [number, number] {
  const [[first, shown], setView] = useState([0, 2 * BEYOND]);
  useEffect(() => {
    const box = frame.current;
    if (!box) return undefined;
    const follow = (): void =>
      setView((before) => {
        const top = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - BEYOND);
        const rows = Math.ceil(box.clientHeight / ROW_PX) + 2 * BEYOND;
        return before[0] === top && before[1] === rows ? before : [top, rows];
      });
    const watcher = new ResizeObserver(follow);
    watcher.observe(box);
    box.addEventListener("scroll", follow, { passive: true });
    return () => (watcher.disconnect(), box.removeEventListener("scroll", follow));
  }, [frame]);
  const begin = Math.min(first as number, Math.max(0, count - (shown as number)));
  return [begin, Math.min(count, begin + (shown as number))];
}

interface Props {
  frame: RefObject<HTMLDivElement | null>;
  columns: Column[];
  rows: Row[];
  /** Whether faults are shown. */
  isChecked: boolean;
  dispatch: Dispatch<Change>;
  onRemove: (row: Row) => void;
  onPaste: (at: number, cells: Record<string, string>[], lost: number) => void;
  /** Files that were dropped or pasted at a cell of media. */
  onFiles: (name: string, at: number, files: File[]) => void;
}

/** Rows of cells that are typed, pasted or read from a file. Only rows near the view are in the document. */
export function RowTable({ frame, columns, rows, isChecked, dispatch, onRemove, onPaste, onFiles }: Props) {
  const [first, last] = useDrawn(frame, rows.length);
  const takeFiles = (event: SyntheticEvent, files: FileList): boolean => {
    const place = placeOf(event.target);
    const column = columns.find(({ name }) => name === place?.name);
    if (files.length === 0) return false;
    // A file that is dropped beside its place does not take the place of the page.
    event.preventDefault();
    if (place && isMediaKind(column?.field?.type)) onFiles(place.name, place.row, [...files]);
    return true;
  };
  const paste = (event: ClipboardEvent): void => {
    const place = placeOf(event.target);
    if (!place || takeFiles(event, event.clipboardData.files)) return;
    const start = columns.findIndex(({ name }) => name === place.name);
    const type = columns[start]?.field?.type;
    const pasted = pastedRows(event.clipboardData, type === "textarea" || type === "json");
    if (!pasted) return;
    event.preventDefault();
    const [head = [], ...rest] = pasted;
    const hasHead = rest.length > 0 && isHead(head, columns, false);
    const match = hasHead ? guess(head, columns) : columns.slice(start).map(({ name }) => name);
    const width = Math.max(...pasted.map((each) => each.length));
    const body = (hasHead ? rest : pasted).map((each) => cellsOf(each, match.slice(0, width), columns));
    onPaste(place.row, body, Math.max(0, width - match.length));
  };
  const press = (event: KeyboardEvent): void => {
    const place = placeOf(event.target);
    if (!place || event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (place.row === rows.length - 1) dispatch({ kind: "add" });
    focusCell(frame.current, place.row + 1, place.name);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementInteractions: keys and pastes of the cells
    <div className="row-frame" ref={frame} role="region" aria-label="Table of rows" onPaste={paste} onKeyDown={press} onDragOver={allowFiles} onDrop={(event) => takeFiles(event, event.dataTransfer.files)}>
      <table className="row-table" aria-label="Rows" aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Row</th>
            {columns.map(({ name, label, field }) => (
              <th key={name} scope="col" title={field?.helperText}>
                {label} {field?.required && <span className="muted">(needed)</span>}
              </th>
            ))}
            <th scope="col">
              <span className="hidden-visually">Delete</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <Space px={first * ROW_PX} />
          {rows.slice(first, last).map((row, place) => (
            <RowCells
              key={row.id}
              row={row}
              place={first + place}
              columns={columns}
              faults={isChecked ? faultsOf(row, columns) : (row.refused ?? NO_FAULTS)}
              dispatch={dispatch}
              onRemove={onRemove}
            />
          ))}
          <Space px={(rows.length - last) * ROW_PX} />
        </tbody>
      </table>
    </div>
  );
}

/** Room of rows that are not drawn. */
function Space({ px }: { px: number }) {
  return px > 0 ? <tr className="space" style={{ height: px }} aria-hidden="true" /> : null;
}

function allowFiles(event: DragEvent): void {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
}

/** The row and the column of a cell's control. */
function placeOf(target: EventTarget): { row: number; name: string } | null {
  const cell = (target as HTMLElement).dataset;
  const row = (target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
  return cell.column && row ? { row: Number(row), name: cell.column } : null;
}

interface RowProps {
  row: Row;
  place: number;
  columns: Column[];
  faults: Faults;
  dispatch: Dispatch<Change>;
  onRemove: (row: Row) => void;
}

const RowCells = memo(function RowCells({ row, place, columns, faults, dispatch, onRemove }: RowProps) {
  return (
    <tr data-row={place} aria-rowindex={place + 2}>
      <th scope="row" className="figures">
        {place + 1}
      </th>
      {columns.map((column) => (
        <td key={column.name}>
          <Cell
            column={column}
            text={row.cells[column.name] ?? ""}
            name={`${column.label}, row ${place + 1}`}
            fault={faults[column.name]}
            faultId={`fault-${row.id}-${column.name}`}
            onChange={(text) => dispatch({ kind: "edit", id: row.id, name: column.name, text })}
          />
        </td>
      ))}
      <td>
        <button type="button" className="button quiet compact" aria-label={`Delete row ${place + 1}`} onClick={() => onRemove(row)}>
          ✕
        </button>
      </td>
    </tr>
  );
});

interface CellProps {
  column: Column;
  text: string;
  name: string;
  fault: string | undefined;
  faultId: string;
  onChange: (text: string) => void;
}

function Cell({ column, text, name, fault, faultId, onChange }: CellProps) {
  const { field } = column;
  const choices = choicesOf(field);
  const common = {
    value: text,
    "data-column": column.name,
    "aria-label": name,
    "aria-invalid": fault ? true : undefined,
    "aria-describedby": fault ? faultId : undefined,
    title: fault ?? fileNameOf(text),
  };
  return (
    <>
      {choices.length > 0 ? (
        <select {...common} onChange={(event) => onChange(event.target.value)}>
          <option value="">{field?.default === undefined ? "" : `(${String(field.default)})`}</option>
          {text !== "" && !choices.includes(text) && <option>{text}</option>}
          {choices.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      ) : (
        <textarea
          {...common}
          rows={1}
          spellCheck={field?.type === "textarea"}
          inputMode={field?.type === "number" || field?.type === "slider" ? "decimal" : undefined}
          placeholder={placeholderOf(column)}
          onChange={(event) => onChange(event.target.value)}
          onBlur={() => spelled(column, text) !== text && onChange(spelled(column, text))}
        />
      )}
      {fault && (
        <span id={faultId} className="hidden-visually">
          {fault}
        </span>
      )}
    </>
  );
}

const LONG = 40;

function placeholderOf({ field }: Column): string | undefined {
  if (field?.default !== undefined) {
    const text = typeof field.default === "object" ? JSON.stringify(field.default) : String(field.default);
    return text.length > LONG ? `${text.slice(0, LONG)}…` : text;
  }
  if (isMediaKind(field?.type)) return "https://… or the id of an asset";
  return undefined;
}
