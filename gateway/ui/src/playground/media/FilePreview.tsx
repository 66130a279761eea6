import { idOf } from "../../api/assets";
import { DataTable } from "./DataTable";
import { hasPages, Pages } from "./Pages";
import { rowsOf, type TextStart, useStart } from "./start";

interface Props {
  path: string;
  contentType: string;
  name: string;
}

const ROWS = 50;
const TABLES: Record<string, boolean> = { "text/csv": false, "text/tab-separated-values": true };

/** Whether a file of this type can be looked into here. */
export function hasPreview(contentType: string): boolean {
  return hasPages(contentType) || contentType === "application/json" || contentType.startsWith("text/");
}

/** A file as far as a page can show it: pages of a PDF, rows of a table, the beginning of a text. */
export function FilePreview({ path, contentType, name }: Props) {
  const assetId = idOf(path);
  if (hasPages(contentType)) return assetId ? <Pages assetId={assetId} name={name} /> : null;
  if (!hasPreview(contentType)) return null;
  return <TextPreview path={path} contentType={contentType} name={name} />;
}

function TextPreview({ path, contentType, name }: Props) {
  const start = useStart(path);
  if (start === undefined) return <p className="hint">Reading {name}…</p>;
  if (start === null) return <p className="fault">This file cannot be read here.</p>;
  if (start.text === "") return <p className="muted">An empty file</p>;
  const isTabbed = TABLES[contentType];
  return isTabbed === undefined ? <Words start={start} name={name} /> : <Rows start={start} name={name} isTabbed={isTabbed} />;
}

function Rows({ start, name, isTabbed }: { start: TextStart; name: string; isTabbed: boolean }) {
  const rows = rowsOf(start, isTabbed, ROWS + 2);
  const goesOn = start.isCut || rows.length > ROWS + 1;
  return <DataTable rows={rows.slice(0, ROWS + 1)} name={name} most={ROWS} note={goesOn ? "The first rows of the file" : undefined} />;
}

function Words({ start: { text, isCut }, name }: { start: TextStart; name: string }) {
  return (
    <>
      <pre className="file-text" tabIndex={0} aria-label={name}>
        {text}
      </pre>
      {isCut && <p className="hint">The beginning of the file</p>}
    </>
  );
}
