import { useId, useState } from "react";
import { call } from "../../../api/client";
import { invalidate, useResource } from "../../../api/resource";
import type { ListedSecret } from "../../../api/types";
import { Button } from "../../../components/Button";
import { TextField } from "../../../components/TextField";

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

interface Props {
  label: string;
  value: string;
  hint?: string;
  onChange: (name: string) => void;
}

/** Chooses a secret of the account by name, or makes one; its value is never shown again. */
export function SecretPicker({ label, value, hint, onChange }: Props) {
  const id = useId();
  const [isMaking, setMaking] = useState(false);
  const secrets = useResource<ListedSecret[]>("/api/secrets").data;
  const names = (secrets ?? []).map((each) => each.name);
  const isMissing = value !== "" && secrets !== undefined && !names.includes(value);
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          {label}
        </label>
        {!isMaking && (
          <Button look="quiet" isCompact onClick={() => setMaking(true)}>
            New secret
          </Button>
        )}
      </div>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">Choose…</option>
        {isMissing && <option value={value}>{value} (not there)</option>}
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      {hint && <p className="hint">{hint}</p>}
      {isMaking && (
        <NewSecret
          names={names}
          onClose={() => setMaking(false)}
          onMade={(name) => {
            setMaking(false);
            onChange(name);
          }}
        />
      )}
    </div>
  );
}

function NewSecret({ names, onClose, onMade }: { names: string[]; onClose: () => void; onMade: (name: string) => void }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [fault, setFault] = useState("");
  const nameFault =
    name === "" || NAME.test(name)
      ? names.includes(name)
        ? "There is a secret of this name already; this replaces its value."
        : ""
      : "Capital letters, digits and _, a letter first.";
  const isComplete = NAME.test(name) && value !== "";
  const make = async (): Promise<void> => {
    try {
      await call("PUT", `/api/secrets/${name}`, { value });
      invalidate("/api/secrets");
      onMade(name);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <form
      className="note stack tight"
      aria-label="New secret"
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) void make();
      }}
    >
      <TextField
        label="Name of the secret"
        placeholder="WEATHER_API_KEY"
        autoComplete="off"
        spellCheck={false}
        value={name}
        fault={nameFault}
        onChange={(to) => setName(to.toUpperCase().replace(/[\s-]/g, "_"))}
      />
      <TextField
        label="Value"
        type="password"
        autoComplete="new-password"
        value={value}
        fault={fault}
        hint="Kept sealed. Nobody can read it again, you neither."
        onChange={setValue}
      />
      <div className="row">
        <Button type="submit" look="primary" isCompact disabled={!isComplete}>
          Keep secret
        </Button>
        <Button isCompact onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
