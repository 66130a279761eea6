import { type FormEvent, useState } from "react";
import { type ApiError, call } from "../api/client";
import { SECRETS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { ListedSecret } from "../api/types";
import { Button } from "../components/Button";
import { TextField } from "../components/TextField";

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const MIN_BYTES = 8;

type Faults = Partial<Record<"name" | "value" | "hosts", string>>;

interface Props {
  className: string;
  secrets: readonly ListedSecret[];
  /** The secret whose name and hosts the form begins with. */
  replaced?: ListedSecret | null;
  onSaved: (name: string) => void;
  onCancel?: () => void;
}

/** Makes a secret, or replaces the value and the hosts of one. */
export function SecretForm({ className, secrets, replaced = null, onSaved, onCancel }: Props) {
  const [name, setName] = useState(replaced?.name ?? "");
  const [value, setValue] = useState("");
  const [hosts, setHosts] = useState(replaced?.hosts?.join(", ") ?? "");
  const [faults, setFaults] = useState<Faults>({});
  const isKnown = !replaced && secrets.some((each) => each.name === name);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wrong = faultsOf(name, value);
    setFaults(wrong);
    if (wrong.name || wrong.value) return;
    try {
      await call("PUT", `${SECRETS}/${name}`, { value, ...hostsOf(hosts, replaced) });
      for (const clear of [setName, setValue, setHosts]) clear("");
      onSaved(name);
      invalidate(SECRETS);
    } catch (error) {
      const { message, details } = error as ApiError;
      setFaults(details.field === "hosts" ? { hosts: message } : { value: message });
    }
  };
  const typing = { autoComplete: "off", spellCheck: false };
  return (
    <form className={className} aria-label="Secret" onSubmit={save} noValidate>
      <TextField
        label="Secret name"
        placeholder="SHOP_KEY"
        hint={isKnown ? "There is a secret of this name already; this replaces its value." : undefined}
        value={name}
        onChange={(text) => setName(text.toUpperCase().replace(/[\s-]/g, "_"))}
        fault={faults.name}
        maxLength={64}
        {...typing}
      />
      <TextField
        label="Value"
        type="password"
        value={value}
        onChange={setValue}
        fault={faults.value}
        autoComplete="new-password"
        autoFocus={replaced !== null}
      />
      <TextField
        label="Only sent to"
        hint="Hosts such as api.example.com or *.example.com. Empty: any host."
        value={hosts}
        onChange={setHosts}
        fault={faults.hosts}
        {...typing}
      />
      <div className="row">
        <Button look="primary" type="submit">
          Save
        </Button>
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
      </div>
    </form>
  );
}

function faultsOf(name: string, value: string): Faults {
  const faults: Faults = {};
  if (!NAME.test(name)) faults.name = "Use capital letters, digits and _, a letter first, such as SHOP_KEY.";
  if (!value) faults.value = "Paste the key or password.";
  else if (new TextEncoder().encode(value).length < MIN_BYTES) faults.value = `It needs at least ${MIN_BYTES} characters.`;
  return faults;
}

/** The hosts of a form. An empty field removes the hosts of a replaced secret, and changes those of no other. */
function hostsOf(text: string, replaced: ListedSecret | null): { hosts?: string[] | null } {
  const hosts = text.split(/[\s,]+/).filter(Boolean);
  if (hosts.length > 0) return { hosts };
  return replaced ? { hosts: null } : {};
}
