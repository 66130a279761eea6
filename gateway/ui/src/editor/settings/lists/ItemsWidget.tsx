import { useState } from "react";
import type { Field } from "../../../api/types";
import { Button } from "../../../components/Button";
import { isMediaKind } from "../../../playground/media/kinds";
import { FieldValue } from "../models/FieldValue";
import { Fold } from "../Fold";
import { RowReasons } from "../problems";
import type { WidgetProps } from "../widgets/widget";
import { Sortable } from "./Sortable";

interface Item {
  value: unknown;
  included?: boolean;
}

/** The control of an item: media by the kind of the list; a value that is no text, as JSON. */
function controlOf(kind: string, item: Item): Field["type"] {
  if (isMediaKind(kind)) return kind;
  return typeof item.value === "string" ? "textarea" : "json";
}

/** The own items of a list, of which only the included ones are given on. */
export function ItemsWidget({ node, name, value, onChange }: WidgetProps) {
  const rows = (Array.isArray(value) ? value : []) as Item[];
  const kind = String(node.data.kind ?? "any");
  const set = (next: Item[], part?: string): void => onChange(next.length > 0 ? next : undefined, part);
  const change = (place: number, item: Item, part: string): void =>
    set(rows.map((row, each) => (each === place ? item : row)), `${place}.${part}`);
  const included = rows.filter((row) => row?.included !== false).length;
  return (
    <>
      {rows.length > 0 && (
        <>
          <p className="hint">
            {included} of {rows.length} included
          </p>
          <Sortable rows={rows} nameOf={(_, place) => `item ${place + 1}`} pathOf={(place) => `${name}[${place}]`} onChange={set}>
            {(row, place) => (
              <div className="stack tight item">
                <label className="check">
                  <input
                    type="checkbox"
                    checked={row?.included !== false}
                    onChange={({ target: { checked } }) =>
                      change(place, checked ? { value: row.value } : { value: row.value, included: false }, "included")
                    }
                  />
                  Item {place + 1}, included
                </label>
                <div data-field={`${name}[${place}].value`}>
                  <FieldValue
                    field={{ name: "value", label: `Item ${place + 1}`, type: controlOf(kind, row ?? {}), required: true }}
                    value={row?.value}
                    onChange={(to) => change(place, { ...row, value: to ?? "" }, "value")}
                  />
                </div>
                <RowReasons nodeId={node.id} path={`${name}[${place}]`} />
              </div>
            )}
          </Sortable>
        </>
      )}
      <div className="row">
        <Button isCompact onClick={() => set([...rows, { value: "" }])}>
          Add an item
        </Button>
      </div>
      {!isMediaKind(kind) && <Several onAdd={(texts) => set([...rows, ...texts.map((text) => ({ value: text }))])} />}
    </>
  );
}

/** Adds an item for each line of a text. */
function Several({ onAdd }: { onAdd: (texts: string[]) => void }) {
  const [text, setText] = useState("");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (
    <Fold summary="Add several">
      <div className="stack tight">
        <textarea className="input" aria-label="Items, one on each line" rows={4} value={text} onChange={(event) => setText(event.target.value)} placeholder="One on each line" />
        <Button
          isCompact
          disabled={lines.length === 0}
          onClick={() => {
            onAdd(lines);
            setText("");
          }}
        >
          Add {lines.length || ""} {lines.length === 1 ? "item" : "items"}
        </Button>
      </div>
    </Fold>
  );
}
