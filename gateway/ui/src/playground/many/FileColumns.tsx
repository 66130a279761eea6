import { useId, useState } from "react";
import { Button } from "../../components/Button";
import type { Cells, Column } from "./cells";
import { cellsOf, guess, isHead, type Match, unnamed } from "./matching";

export interface FileRows {
  name: string;
  rows: string[][];
}

interface Props {
  file: FileRows;
  columns: Column[];
  onFill: (cells: Cells[]) => void;
  onClose: () => void;
}

const SAMPLES = 3;

/** Matches the columns of a file to those of the table: guessed by name, and changed by hand. */
export function FileColumns({ file, columns, onFill, onClose }: Props) {
  const id = useId();
  const [first = [], ...rest] = file.rows;
  const [hasHead, setHasHead] = useState(() => isHead(first, columns, true));
  const width = Math.max(...file.rows.map((row) => row.length));
  const heads = unnamed(width).map((name, place) => (hasHead && first[place]?.trim()) || name);
  const [match, setMatch] = useState<Match>(() => (hasHead ? guess(heads, columns) : heads.map((_, place) => columns[place]?.name ?? "")));
  const body = hasHead ? rest : file.rows;
  const missing = columns.filter(({ name, field }) => field?.required && field.default === undefined && !match.includes(name));
  // A column of the table takes one of the file.
  const choose = (place: number, name: string): void =>
    setMatch(match.map((each, other) => (other === place ? name : name && each === name ? "" : each)));
  return (
    <section className="stack file-columns" aria-labelledby={id}>
      <div className="row spread">
        <h3 id={id}>Columns of {file.name}</h3>
        <label className="option-check">
          <input type="checkbox" checked={hasHead} onChange={(event) => setHasHead(event.target.checked)} />
          The first line names them
        </label>
      </div>
      <ul className="column-matches">
        {heads.map((head, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: columns of a file have a place alone
          <ColumnMatch key={place} head={head} samples={samplesOf(body, place)} columns={columns} chosen={match[place] ?? ""} onChoose={(name) => choose(place, name)} />
        ))}
      </ul>
      {missing.map(({ name, label }) => (
        <p key={name} className="fault" role="alert">
          {label} is needed, and no column gives it.
        </p>
      ))}
      <div className="row">
        <Button disabled={body.length === 0 || match.every((each) => !each)} onClick={() => onFill(body.map((row) => cellsOf(row, match, columns)))}>
          Fill the table with {body.length.toLocaleString("en")} {body.length === 1 ? "row" : "rows"}
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close the file
        </Button>
      </div>
    </section>
  );
}

function samplesOf(rows: string[][], place: number): string {
  const given = rows.slice(0, SAMPLES * 4).map((row) => row[place]?.trim() ?? "");
  return given.filter(Boolean).slice(0, SAMPLES).join(" · ");
}

interface MatchProps {
  head: string;
  samples: string;
  columns: Column[];
  chosen: string;
  onChoose: (name: string) => void;
}

function ColumnMatch({ head, samples, columns, chosen, onChoose }: MatchProps) {
  const id = useId();
  return (
    <li>
      <label htmlFor={id}>
        {head} <span className="muted small">{samples}</span>
      </label>
      <select id={id} className="input compact" aria-label={`Column "${head}"`} value={chosen} onChange={(event) => onChoose(event.target.value)}>
        <option value="">Leave out</option>
        {columns.map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </li>
  );
}
