/** Uploads of files into the cells of a column, one row for each file. */

import { type Dispatch, useState } from "react";
import { upload } from "../../api/upload";
import { noteFileName } from "../media/useUpload";
import type { Change, Row } from "./rows";

export interface CellFiles {
  /** A sentence about an upload that is under way; empty without one. */
  state: string;
  /** A sentence for each file that was refused. */
  faults: string[];
  /** Upload files one after another, into the cells of a column from a row on. */
  add: (name: string, at: number, files: readonly File[]) => Promise<void>;
}

export function useCellFiles(dispatch: Dispatch<Change>): CellFiles {
  const [state, setState] = useState("");
  const [faults, setFaults] = useState<string[]>([]);
  const add: CellFiles["add"] = async (name, at, files) => {
    setFaults([]);
    let row = at;
    for (const [place, file] of files.entries()) {
      setState(files.length === 1 ? `Uploading ${file.name}…` : `Uploading ${file.name}, ${place + 1} of ${files.length}…`);
      try {
        const { id } = await upload(file, () => undefined).asset;
        noteFileName(id, file.name);
        dispatch({ kind: "put", at: row, cells: [{ [name]: id }] });
        row += 1;
      } catch (error) {
        setFaults((before) => [...before, `${file.name}: ${(error as Error).message}`]);
      }
    }
    setState("");
  };
  return { state, faults, add };
}

/** The first row of those at the end whose cells of a column are empty. */
export function firstFree(rows: readonly Row[], name: string): number {
  return rows.findLastIndex(({ cells }) => Boolean(cells[name])) + 1;
}
