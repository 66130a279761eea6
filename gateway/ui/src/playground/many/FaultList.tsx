import type { Column } from "./cells";
import type { CellFault } from "./rows";

const MOST = 100;

interface Props {
  faults: CellFault[];
  columns: Column[];
  onGo: (fault: CellFault) => void;
}

/** Faults of cells by row and column; each leads to its cell. */
export function FaultList({ faults, columns, onGo }: Props) {
  if (faults.length === 0) return null;
  const labelOf = (name: string): string => columns.find((each) => each.name === name)?.label ?? name;
  return (
    <div className="note bad stack" role="alert">
      <p>{faults.length === 1 ? "One cell is at fault; nothing was sent." : `${faults.length.toLocaleString("en")} cells are at fault; nothing was sent.`}</p>
      <ul className="fault-list" aria-label="Cells at fault">
        {faults.slice(0, MOST).map((each) => (
          <li key={`${each.place} ${each.name}`}>
            <button type="button" onClick={() => onGo(each)}>
              Row {each.place + 1}, {labelOf(each.name)}
            </button>
            : {each.reason}
          </li>
        ))}
      </ul>
      {faults.length > MOST && <p className="small">The first {MOST} of them.</p>}
    </div>
  );
}
