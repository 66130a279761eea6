import { useState } from "react";
import type { FieldType } from "../../../api/types";
import { AddField } from "../../../editor/settings/fields/AddField";
import { FieldForm } from "../../../editor/settings/fields/FieldForm";
import { type DraftField, freeName, retyped, TYPES } from "../../../editor/settings/fields/fields";
import { Fold } from "../../../editor/settings/Fold";
import { Sortable } from "../../../editor/settings/lists/Sortable";
import { isTable } from "../toml";
import { type FormProps, faultsOf } from "./Members";
import { Faults } from "./MemberField";

/** The fields that callers fill in, in order. */
export function FieldsPart({ manifest }: FormProps) {
  const [newest, setNewest] = useState<number | null>(null);
  const rows = rowsOf(manifest.table.fields);
  const names = rows.map((row) => row.name);
  const set = (next: DraftField[]): void => manifest.change(["fields"], next.length > 0 ? next : undefined);
  const add = (type: FieldType): void => {
    set([...rows, retyped({ name: freeName("field", names), type: "text" }, type)]);
    setNewest(rows.length);
  };
  return (
    <>
      <Faults faults={faultsOf(manifest, ["fields"], true)} />
      {rows.length > 0 && (
        <Sortable rows={rows} nameOf={(row) => `field ${row.name}`} pathOf={(place) => `fields[${place}]`} onChange={set}>
          {(row, place) => {
            const faults = faultsOf(manifest, ["fields", place]);
            return (
              <Fold className="field-row" isOpenAtFirst={place === newest} summary={<Summary field={row} faults={faults.length} />}>
                <div className="stack tight">
                  <FieldForm
                    path={`fields[${place}]`}
                    field={row}
                    isNew={place === newest}
                    taken={names.filter((_, each) => each !== place)}
                    onChange={(field) => manifest.change(["fields", place], field)}
                  />
                  <Faults faults={faults} />
                </div>
              </Fold>
            );
          }}
        </Sortable>
      )}
      <AddField onAdd={add} />
    </>
  );
}

function Summary({ field, faults }: { field: DraftField; faults: number }) {
  return (
    <>
      <span className="field-title">{field.label || field.name}</span>
      <span className="hint">
        {TYPES[field.type] ?? field.type}
        {field.required && ", required"}
      </span>
      {faults > 0 && <span className="badge bad">{faults === 1 ? "1 problem" : `${faults} problems`}</span>}
    </>
  );
}

/** Rows whose name and type are texts, also where those of the TOML are not. */
function rowsOf(value: unknown): DraftField[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isTable).map((row) => ({ ...row, name: String(row.name ?? ""), type: String(row.type ?? "text") as FieldType }));
}
