import { useEffect, useRef, useState } from "react";
import { type Batch, sizeOf } from "../../api/batches";
import { Button } from "../../components/Button";
import { toast } from "../../components/Toast";
import { asLines, asTable, readItems } from "./results";

const LINES = { label: "JSON lines", ending: "jsonl", type: "application/jsonl", make: asLines };
/** The mark at the begin tells spreadsheets that the text is UTF-8. */
const TABLE = { label: "CSV", ending: "csv", type: "text/csv", make: (items: Parameters<typeof asTable>[0]) => `\ufeff${asTable(items)}` };
const KEPT_MS = 60_000;

/** Give a text to the browser as a file. */
function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Buttons that read all items and save them as a file. */
export function Downloads({ batch: { batchId, counts } }: { batch: Batch }) {
  const [read, setRead] = useState<number>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const download = async ({ ending, type, make }: typeof LINES): Promise<void> => {
    const reading = new AbortController();
    stop.current = reading;
    setRead(0);
    try {
      const items = await readItems(batchId, sizeOf(counts), setRead, reading.signal);
      save(`batch-${batchId.slice(0, 8)}.${ending}`, type, make(items));
    } catch (error) {
      if (!reading.signal.aborted) toast((error as Error).message);
    }
    setRead(undefined);
  };
  if (read === undefined) {
    return (
      <div className="row">
        {[LINES, TABLE].map((each) => (
          <Button key={each.ending} isCompact onClick={() => void download(each)}>
            Download {each.label}
          </Button>
        ))}
      </div>
    );
  }
  const size = sizeOf(counts);
  return (
    <div className="row">
      <progress value={read} max={size} aria-label="Reading results" />
      <span className="small figures" role="status">
        Reading results: {read.toLocaleString("en")} of {size.toLocaleString("en")}
      </span>
      <Button isCompact look="quiet" onClick={() => stop.current?.abort()}>
        Stop
      </Button>
    </div>
  );
}
