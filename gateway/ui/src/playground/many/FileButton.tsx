import { useId, useState } from "react";
import { MOST_BYTES, MOST_ITEMS } from "../../api/batches";
import { readFileRows, textOf } from "./csv";
import type { FileRows } from "./FileColumns";

/** Reads a CSV file; one that is too large is refused here. */
export function FileButton({ onFile }: { onFile: (file: FileRows) => void }) {
  const id = useId();
  const [state, setState] = useState("");
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    if (file.size > MOST_BYTES) return setState(`${file.name} is too large: a batch has at most 16 MB.`);
    setState(`Reading ${file.name}…`);
    // One line more may name the columns.
    const rows = await readFileRows(await textOf(file), MOST_ITEMS + 1);
    if (rows === null) return setState(`${file.name} has too many lines: a batch has at most ${MOST_ITEMS.toLocaleString("en")} items.`);
    if (rows.length === 0) return setState(`${file.name} is empty.`);
    setState("");
    onFile({ name: file.name, rows });
  };
  return (
    <span className="row file-button">
      <span className="small fault" role="status">
        {state}
      </span>
      <input
        id={id}
        type="file"
        className="hidden-visually"
        accept=".csv,.tsv,.txt,text/csv"
        aria-label="CSV file"
        onChange={(event) => {
          void read(event.target.files?.[0]);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
      <label htmlFor={id} className="button" aria-hidden="true">
        CSV file…
      </label>
    </span>
  );
}
