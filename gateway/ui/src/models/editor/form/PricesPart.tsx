import { useId } from "react";
import { Button } from "../../../components/Button";
import { isTable, type Table } from "../toml";
import { type FormProps, faultsOf } from "./Members";
import { Faults, MemberField } from "./MemberField";
import { MEMBERS, type Member } from "./memberTable";

const BY_NAME = new Map(MEMBERS.pricing.map((member) => [member.name, member]));
const UNITS = BY_NAME.get("unit")?.options ?? [];
/** Stands for a number beside the names of fields. */
const NUMBER = "\u0000";

/** The provider's prices by unit. */
export function PricesPart({ manifest }: FormProps) {
  const rows = (Array.isArray(manifest.table.pricing) ? manifest.table.pricing : []).map((row) => (isTable(row) ? row : {}));
  const set = (next: Table[]): void => manifest.change(["pricing"], next.length > 0 ? next : undefined);
  const free = UNITS.find((unit) => !rows.some((row) => row.unit === unit));
  return (
    <>
      <p className="hint">What the provider charges; credits are taken after the markup of the caller's tier. A model without a price is free.</p>
      <Faults faults={faultsOf(manifest, ["pricing"], true)} />
      {rows.map((row, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: prices have no identity
        <Price key={place} manifest={manifest} row={row} place={place} onRemove={() => set(rows.filter((_, each) => each !== place))} />
      ))}
      {free && (
        <div className="row">
          <Button isCompact onClick={() => set([...rows, free === "call" ? { unit: free, usd: "0.01" } : { unit: free, usd: "0.01", atMost: 1 }])}>
            Add a price
          </Button>
        </div>
      )}
    </>
  );
}

function Price({ manifest, row, place, onRemove }: FormProps & { row: Table; place: number; onRemove: () => void }) {
  const id = useId();
  const path = ["pricing", place];
  const faults = (name: string): string[] => faultsOf(manifest, [...path, name]);
  const member = (name: string) => (
    <MemberField
      member={BY_NAME.get(name) as Member}
      value={row[name]}
      faults={faults(name)}
      onChange={(to) => manifest.change([...path, name], to)}
    />
  );
  return (
    <fieldset className="price-row">
      <legend className="hidden-visually">Price {place + 1}</legend>
      <div className="pair">
        {member("unit")}
        {member("usd")}
      </div>
      {row.unit !== "call" && (
        <div className="pair">
          <div className="field half">
            <label htmlFor={`${id}-most`}>Most in one call</label>
            <select
              id={`${id}-most`}
              className="input"
              aria-invalid={faults("field").length > 0 || undefined}
              value={typeof row.field === "string" ? row.field : NUMBER}
              onChange={(event) => manifest.change(path, counted(row, event.target.value))}
            >
              <option value={NUMBER}>A number</option>
              {fieldNames(manifest.table.fields, row.field).map((name) => (
                <option key={name} value={name}>
                  The field {name}
                </option>
              ))}
            </select>
            <Faults faults={faults("field")} />
          </div>
          {row.field === undefined && member("atMost")}
        </div>
      )}
      {row.unit === "input_token" && member("perImage")}
      <Faults faults={faultsOf(manifest, path, true)} />
      <Button look="quiet" isCompact isDanger onClick={onRemove} aria-label={`Remove the price for each ${row.unit}`}>
        Remove
      </Button>
    </fieldset>
  );
}

/** The price with its count by a field, or by a number. */
function counted(row: Table, by: string): Table {
  const { field: _, atMost, ...rest } = row;
  return by === NUMBER ? { ...rest, atMost: atMost ?? 1 } : { ...rest, field: by };
}

/** Names of the fields that can count: numbers. */
function fieldNames(fields: unknown, chosen: unknown): string[] {
  const rows = Array.isArray(fields) ? fields.filter(isTable) : [];
  const names = rows.filter((row) => row.type === "number" || row.type === "slider").map((row) => String(row.name));
  return typeof chosen === "string" && !names.includes(chosen) ? [...names, chosen] : names;
}
