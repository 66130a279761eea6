import { type FormEvent, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { MOST_CONCURRENCY, MOST_ITEMS, USUAL_CONCURRENCY } from "../../api/batches";
import type { PublicSchema } from "../../api/types";
import { credits } from "../../components/Ago";
import { Button } from "../../components/Button";
import { TextField } from "../../components/TextField";
import { toast } from "../../components/Toast";
import { OptionFields } from "../OptionFields";
import { useRunOptions } from "../options";
import { type Cells, columnsOf } from "./cells";
import { FaultList } from "./FaultList";
import { FileButton } from "./FileButton";
import { FileCells } from "./FileCells";
import { FileColumns, type FileRows } from "./FileColumns";
import { focusCell, RowTable } from "./RowTable";
import { allFaults, blankRows, type CellFault, changed, isBlank, type Row, type Rows } from "./rows";
import { useBatchStart } from "./useBatchStart";
import { useCellFiles } from "./useCellFiles";
import "./many.css";

/** Rows by workflow, which outlive a look at another page. */
const kept = new Map<string, Rows>();

/** Many runs of one workflow: a table of rows, typed, pasted or read from a file, that becomes a batch. */
export default function RunMany({ slug, schema }: { slug: string; schema: PublicSchema }) {
  const columns = useMemo(() => columnsOf(schema.fields), [schema.fields]);
  const [state, dispatch] = useReducer(changed, null, () => kept.get(slug) ?? blankRows());
  const [isChecked, setChecked] = useState(false);
  const [file, setFile] = useState<FileRows>();
  const frame = useRef<HTMLDivElement>(null);
  const begin = useBatchStart(slug, columns, dispatch);
  const files = useCellFiles(dispatch);
  useEffect(() => void kept.set(slug, state), [slug, state]);
  const { rows } = state;
  const restore = { label: "Undo", run: () => dispatch({ kind: "restore", rows }) };
  const remove = (row: Row): void => {
    dispatch({ kind: "remove", id: row.id });
    if (!isBlank(row)) toast("Deleted the row", restore);
  };
  const fill = (cells: Cells[]): void => {
    dispatch({ kind: "replace", cells });
    setFile(undefined);
    setChecked(true);
    toast(`Filled ${inWords(cells.length)}`, rows.every(isBlank) ? undefined : restore);
  };
  const paste = (at: number, cells: Cells[], lost: number): void => {
    dispatch({ kind: "put", at, cells });
    setChecked(true);
    toast(`Pasted ${inWords(cells.length)}${lost > 0 ? `; ${lost} more columns have no place in the table` : ""}`, restore);
  };
  const removeRow = useStable(remove);
  const faults = isChecked ? allFaults(rows, columns) : [];
  const go = ({ place, name }: CellFault): void => focusCell(frame.current, place, name);
  return (
    <div className="stack many">
      <section className="panel stack" aria-labelledby="rows">
        <div className="row spread">
          <h2 id="rows">Rows</h2>
          <div className="row">
            <FileButton onFile={setFile} />
            <Button onClick={() => (dispatch({ kind: "add" }), focusCell(frame.current, rows.length, columns[0]?.name ?? ""))}>Add row</Button>
          </div>
        </div>
        <p className="muted small">
          One run for each row. Paste cells from a spreadsheet into the table, or choose a CSV file. Empty rows are not sent; an empty cell takes the
          default of its field.
        </p>
        {file && <FileColumns key={file.name + file.rows.length} file={file} columns={columns} onFill={fill} onClose={() => setFile(undefined)} />}
        <FileCells columns={columns} rows={rows} files={files} />
        <RowTable {...{ frame, columns, rows, isChecked, dispatch }} onRemove={removeRow} onPaste={paste} onFiles={(name, at, dropped) => void files.add(name, at, dropped)} />
        <FaultList faults={faults} columns={columns} onGo={go} />
      </section>
      <StartForm
        estimate={schema.estimatedCreditCost}
        sent={rows.filter((row) => !isBlank(row))}
        begin={begin}
        check={() => {
          setChecked(true);
          const [first] = allFaults(rows, columns);
          if (first) go(first);
          return !first;
        }}
      />
    </div>
  );
}

/** A function that stays the same and calls the newest one. */
function useStable<T>(action: (value: T) => void): (value: T) => void {
  const newest = useRef(action);
  newest.current = action;
  return useMemo(() => (value: T) => newest.current(value), []);
}

function inWords(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`;
}

interface StartProps {
  estimate: number | undefined;
  sent: Row[];
  begin: ReturnType<typeof useBatchStart>;
  /** Show the faults of cells; true: there are none. */
  check: () => boolean;
}

/** Options of the batch, its price, and the button that begins it. */
function StartForm({ estimate, sent, begin, check }: StartProps) {
  const options = useRunOptions(false);
  const [concurrency, setConcurrency] = useState("");
  const [fault, setFault] = useState("");
  const refuse = (field: string, reason: string): boolean => {
    if (field !== "concurrency") return options.refuse(field, reason);
    setFault(reason);
    return true;
  };
  const start = (event: FormEvent): void => {
    event.preventDefault();
    const wrong = concurrencyFault(concurrency);
    setFault(wrong);
    const members = options.checked();
    if (!check() || wrong || members === null || sent.length === 0 || sent.length > MOST_ITEMS) return;
    void begin.start(sent, concurrency ? { ...members, concurrency: Number(concurrency) } : members, refuse);
  };
  return (
    <form className="panel stack form" aria-label="Batch" noValidate onSubmit={start}>
      <OptionFields options={options} hasEvents={false} />
      <div className="concurrency">
        <TextField
          label="Runs at a time"
          hint={`1 to ${MOST_CONCURRENCY}`}
          inputMode="numeric"
          placeholder={String(USUAL_CONCURRENCY)}
          value={concurrency}
          fault={fault}
          onChange={setConcurrency}
        />
      </div>
      {sent.length > MOST_ITEMS && (
        <p className="note bad" role="alert">
          A batch has at most {MOST_ITEMS.toLocaleString("en")} items; these are {sent.length.toLocaleString("en")}.
        </p>
      )}
      {begin.error && (
        <div className="note bad" role="alert">
          <p>{begin.error.message}</p>
          {begin.error.code && <code>{begin.error.code}</code>}
        </div>
      )}
      <div className="run-row">
        <span className="muted small figures" role="status">
          {inWords(sent.length)}
          {estimate !== undefined && sent.length > 0 && `, ${estimate ? "up to " : ""}${credits(estimate * sent.length)}`}
        </span>
        <Button look="primary" type="submit" disabled={begin.isBusy || sent.length === 0}>
          {begin.isBusy ? "Starting…" : "Start batch"}
        </Button>
      </div>
    </form>
  );
}

function concurrencyFault(text: string): string {
  if (text === "") return "";
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= MOST_CONCURRENCY ? "" : `A whole number from 1 to ${MOST_CONCURRENCY}.`;
}
