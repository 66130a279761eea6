import { useId } from "react";
import { Button } from "../../components/Button";
import { TextField } from "../../components/TextField";
import { HERE, ZONES } from "./zones";

interface Props {
  zone: string;
  fault?: string;
  onChange: (zone: string) => void;
}

/** A time zone: the list is searched by any part of a name. */
export function ZoneField({ zone, fault, onChange }: Props) {
  const list = useId();
  return (
    <div className="zone-row">
      <TextField
        label="Time zone"
        hint="Type a city, such as Berlin."
        list={list}
        value={zone}
        fault={fault}
        onChange={onChange}
        // The list shows names that have the text, so a whole name would hide all others.
        onFocus={(event) => event.target.select()}
        spellCheck={false}
        autoComplete="off"
      />
      <datalist id={list}>
        {ZONES.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {[...new Set([HERE, "UTC"])]
        .filter((each) => each !== zone)
        .map((each) => (
          <Button key={each} isCompact onClick={() => onChange(each)}>
            {each}
          </Button>
        ))}
    </div>
  );
}
