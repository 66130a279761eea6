import { useId, useState } from "react";
import { SecretForm } from "../../../account/SecretForm";
import { SECRETS } from "../../../api/paths";
import { useResource } from "../../../api/resource";
import type { ListedSecret } from "../../../api/types";
import { Button } from "../../../components/Button";

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
  const secrets = useResource<ListedSecret[]>(SECRETS).data;
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
        <SecretForm
          className="note stack tight"
          secrets={secrets ?? []}
          onCancel={() => setMaking(false)}
          onSaved={(name) => {
            setMaking(false);
            onChange(name);
          }}
        />
      )}
    </div>
  );
}
