import { useRef } from "react";
import { Button } from "../../components/Button";
import { acceptOf, isMediaKind } from "../media/kinds";
import type { Column } from "./cells";
import type { Row } from "./rows";
import { type CellFiles, firstFree } from "./useCellFiles";

interface Props {
  columns: Column[];
  rows: Row[];
  files: CellFiles;
}

/** For each column of media, a button that uploads several files, which make a row each. */
export function FileCells({ columns, rows, files }: Props) {
  const media = columns.filter(({ field }) => isMediaKind(field?.type));
  if (media.length === 0) return null;
  return (
    <div className="stack tight">
      <div className="row">
        {media.map((column) => (
          <ColumnFiles key={column.name} column={column} isBusy={files.state !== ""} onFiles={(chosen) => void files.add(column.name, firstFree(rows, column.name), chosen)} />
        ))}
        <span className="small muted" role="status">
          {files.state}
        </span>
      </div>
      {files.faults.length > 0 && (
        <ul className="fault" role="alert">
          {files.faults.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface ColumnProps {
  column: Column;
  isBusy: boolean;
  onFiles: (files: File[]) => void;
}

function ColumnFiles({ column: { label, field }, isBusy, onFiles }: ColumnProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        className="hidden-visually"
        tabIndex={-1}
        accept={isMediaKind(field?.type) ? acceptOf(field.type) : undefined}
        aria-label={`Files for ${label}`}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same files may be chosen again.
          event.target.value = "";
        }}
      />
      <Button isCompact disabled={isBusy} onClick={() => input.current?.click()}>
        {label}: choose files…
      </Button>
    </>
  );
}
