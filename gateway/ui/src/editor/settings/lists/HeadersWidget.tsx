import { useState } from "react";
import { Button } from "../../../components/Button";
import type { Edit } from "../../document/edits";
import { RowReasons } from "../problems";
import { TemplateEditor } from "../template/TemplateEditor";
import type { WidgetProps } from "../widgets/widget";

type Rows = [name: string, text: string][];

const COMMON = ["Accept", "Authorization", "Content-Type", "Idempotency-Key", "User-Agent", "X-API-Key"];

function rowsOf(value: unknown): Rows {
  return value && typeof value === "object" ? Object.entries(value).map(([name, text]) => [name, String(text)]) : [];
}

/** Names with templates: the headers of a call, or the fields of its form. Rows without a name stay here until they have one. */
export function HeadersWidget({ node, name, value, onChange, id }: WidgetProps) {
  const saved = rowsOf(value);
  const [typed, setTyped] = useState<Rows>(saved);
  const isCurrent = JSON.stringify(Object.fromEntries(typed.filter(([each]) => each))) === JSON.stringify(Object.fromEntries(saved));
  const rows = isCurrent ? typed : saved;
  const isHeaders = name === "headers";
  const one = isHeaders ? "header" : "field";
  const set = (next: Rows, part?: string, also?: Edit): void => {
    setTyped(next);
    const named = Object.fromEntries(next.filter(([each]) => each));
    onChange(Object.keys(named).length > 0 ? named : undefined, part, also);
  };
  const isDoubled = (each: string, place: number): boolean =>
    each !== "" && rows.some(([other], at) => at < place && other.toLowerCase() === each.toLowerCase());
  return (
    <>
      {rows.length > 0 && (
        <ul className="pairs">
          {rows.map(([each, text], place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity beside their place
            <li key={place} data-field={`${name}.${each}`}>
              <input
                className="input"
                aria-label={`Name of ${one} ${place + 1}`}
                placeholder="Name"
                autoComplete="off"
                list={isHeaders ? `${id}-common` : undefined}
                value={each}
                aria-invalid={isDoubled(each, place) || undefined}
                onChange={(event) => set(rows.map((row, at) => (at === place ? [event.target.value, text] : row)), `${place}.name`)}
              />
              <Button
                look="quiet"
                isCompact
                aria-label={`Remove ${one} ${each || place + 1}`}
                onClick={() => set(rows.filter((_, at) => at !== place))}
              >
                ×
              </Button>
              <div className="pair-value">
                <TemplateEditor
                  node={node}
                  label={`Value of ${one} ${each || place + 1}`}
                  text={text}
                  rows={1}
                  placeholder="Value"
                  takesSecrets={isHeaders}
                  onChange={(to, also) => set(rows.map((row, at) => (at === place ? [each, to] : row)), `${place}.value`, also)}
                />
                {isDoubled(each, place) && <p className="fault">This name is there already; the later one counts.</p>}
                {each && <RowReasons nodeId={node.id} path={`${name}.${each}`} />}
              </div>
            </li>
          ))}
        </ul>
      )}
      {isHeaders && (
        <datalist id={`${id}-common`}>
          {COMMON.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      <div className="row">
        <Button isCompact onClick={() => set([...rows, ["", ""]])}>
          Add a {one}
        </Button>
      </div>
    </>
  );
}
