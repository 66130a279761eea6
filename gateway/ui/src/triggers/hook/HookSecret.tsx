import { type KeyboardEvent, useId, useState } from "react";
import { SECRETS } from "../../api/paths";
import { useResource } from "../../api/resource";
import type { ListedSecret } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { TextField } from "../../components/TextField";
import { freeName, madeValue, nameFault, randomSecret, saveSecret, valueFault } from "./secrets";
import type { Service } from "./services";

interface Props {
  service: Service;
  /** Name of the chosen secret. */
  value: string;
  fault?: string;
  onChange: (name: string) => void;
}

/** The secret that verifies events: chosen by name, made here, or pasted; its value is never shown again. */
export function HookSecret({ service, value, fault, onChange }: Props) {
  const id = useId();
  const [source, setSource] = useState<"made" | "pasted" | null>(null);
  const madeHere = madeValue(value);
  const secrets = useResource<ListedSecret[]>(SECRETS).data;
  const names = (secrets ?? []).map((each) => each.name);
  const isOurs = service.secretOrigin === "ours";
  const isMissing = value !== "" && secrets !== undefined && !names.includes(value) && madeHere === undefined;
  const take = (name: string): void => {
    setSource(null);
    onChange(name);
  };
  return (
    <div className="stack tight">
      <div className="field">
        <label htmlFor={id}>Secret</label>
        <select
          id={id}
          className="input"
          value={value}
          aria-invalid={fault ? true : undefined}
          aria-describedby={`${id}-hint`}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">Choose…</option>
          {isMissing && <option value={value}>{value} (not there)</option>}
          {madeHere !== undefined && !names.includes(value) && <option>{value}</option>}
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <p id={`${id}-hint`} className={fault ? "fault" : "hint"}>
          {fault || service.secretHint}
        </p>
      </div>
      {source === null && (
        <div className="row">
          {!isOurs && <Choice label="Paste a secret" onClick={() => setSource("pasted")} />}
          <Choice label={isOurs ? "Make a secret" : "It comes later"} onClick={() => setSource("made")} />
          {isOurs && <Choice label="Paste a secret" onClick={() => setSource("pasted")} />}
        </div>
      )}
      {source && <NewSecret key={source} service={service} isMade={source === "made"} names={names} onSaved={take} onCancel={() => setSource(null)} />}
      {madeHere !== undefined && <Made service={service} value={madeHere} />}
    </div>
  );
}

function Choice({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button isCompact onClick={onClick}>
      {label}
    </Button>
  );
}

/** The value of a secret that was made here, or what to do where the sender will show another. */
function Made({ service: { secretOrigin }, value }: { service: Service; value: string }) {
  if (secretOrigin === "ours") return <MadeValue value={value} />;
  return (
    <p className="note">
      Its value is random, so the trigger refuses every request for now. Create the trigger, give its URL to the sender, then paste the secret that
      the sender shows.
    </p>
  );
}

/** A value that was made here, to be copied. */
export function MadeValue({ value }: { value: string }) {
  return (
    <div className="stack tight">
      <p>
        Give it to the sender: <strong>it is not shown again.</strong>
      </p>
      <CodeBlock text={value} isWrapped label="Value of the secret" />
    </div>
  );
}

interface NewProps {
  service: Service;
  /** False: its value is pasted. */
  isMade: boolean;
  names: readonly string[];
  onSaved: (name: string) => void;
  onCancel: () => void;
}

/** Asks for the name of a new secret, and for its value where the sender has made it. It stands inside a form. */
function NewSecret({ service, isMade, names, onSaved, onCancel }: NewProps) {
  const [name, setName] = useState(() => freeName(service.secretName, names));
  const [value, setValue] = useState(() => (isMade ? randomSecret(service.kind) : ""));
  const [faults, setFaults] = useState({ name: "", value: "" });
  const save = async (): Promise<void> => {
    const wrong = { name: nameFault(name), value: valueFault(value) };
    setFaults(wrong);
    if (wrong.name || wrong.value) return;
    try {
      await saveSecret(name, value, isMade);
      onSaved(name);
    } catch (error) {
      setFaults({ ...wrong, [isMade ? "name" : "value"]: (error as Error).message });
    }
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    void save();
  };
  return (
    <fieldset className="note stack tight" aria-label="New secret" onKeyDown={press}>
      <TextField
        label="Secret name"
        hint={names.includes(name) ? "There is a secret of this name already; this replaces its value." : undefined}
        value={name}
        onChange={(text) => setName(text.toUpperCase().replace(/[\s-]/g, "_"))}
        fault={faults.name}
        maxLength={64}
        autoComplete="off"
        spellCheck={false}
        autoFocus={isMade}
      />
      {isMade ? (
        <p className="hint">{service.secretOrigin === "ours" ? "Its value is made here, at random." : "It has a random value until you paste that of the sender."}</p>
      ) : (
        <TextField label="Value" type="password" value={value} onChange={setValue} fault={faults.value} autoComplete="new-password" autoFocus />
      )}
      <div className="row">
        <Button isCompact onClick={() => void save()}>
          Save secret
        </Button>
        <Button look="quiet" isCompact onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </fieldset>
  );
}
