import { type FormEvent, useId, useState } from "react";
import { type ApiError, call } from "../api/client";
import { expect, invalidate, useResource } from "../api/resource";
import type { ListedSecret } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Empty, Failed, Loading } from "../components/States";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";
import { Link } from "../shell/router";

const SECRETS = "/api/secrets";
const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const MIN_BYTES = 8;

/** Keys and passwords that HTTP requests of workflows carry. */
export function SecretsTab() {
  const secrets = useResource<ListedSecret[]>(SECRETS);
  const [replaced, setReplaced] = useState<ListedSecret | null>(null);
  const [removed, setRemoved] = useState<ListedSecret | null>(null);
  return (
    <div className="stack">
      <p className="hint">
        HTTP requests of your workflows carry secrets by name. Nobody can read a value again, not even you.
      </p>
      <SecretForm key={replaced?.name ?? ""} replaced={replaced} onDone={() => setReplaced(null)} />
      {secrets.error && !secrets.data && <Failed error={secrets.error} retry={secrets.reload} />}
      {secrets.isLoading && !secrets.data && <Loading />}
      {secrets.data?.length === 0 && (
        <Empty title="No secrets yet">
          <p>Save one above, then choose it in an HTTP Request.</p>
        </Empty>
      )}
      {secrets.data && secrets.data.length > 0 && (
        <SecretTable secrets={secrets.data} onReplace={setReplaced} onRemove={setRemoved} />
      )}
      {removed && <Remove secret={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

interface Faults {
  name?: string;
  value?: string;
  hosts?: string;
}

function SecretForm({ replaced, onDone }: { replaced: ListedSecret | null; onDone: () => void }) {
  const [name, setName] = useState(replaced?.name ?? "");
  const [value, setValue] = useState("");
  const [hosts, setHosts] = useState(replaced?.hosts?.join(", ") ?? "");
  const [faults, setFaults] = useState<Faults>({});
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const found: Faults = {};
    if (!NAME.test(name)) found.name = "Use capital letters, digits and _, a letter first, such as SHOP_KEY.";
    if (!value) found.value = "Paste the key or password.";
    else if (new TextEncoder().encode(value).length < MIN_BYTES)
      found.value = `It needs at least ${MIN_BYTES} characters.`;
    setFaults(found);
    if (found.name || found.value) return;
    try {
      await call("PUT", `${SECRETS}/${name}`, { value, ...hostsOf(hosts, replaced) });
      toast(`Saved ${name}`);
      setName("");
      setValue("");
      setHosts("");
      onDone();
      invalidate(SECRETS);
    } catch (error) {
      const { message, details } = error as ApiError;
      setFaults(details.field === "hosts" ? { hosts: message } : { value: message });
    }
  };
  return (
    <form className="secret-form" onSubmit={save} noValidate>
      <TextField
        label="Secret name"
        value={name}
        onChange={(text) => setName(text.toUpperCase())}
        {...(faults.name ? { fault: faults.name } : {})}
        autoComplete="off"
        spellCheck={false}
        maxLength={64}
      />
      <TextField
        label="Value"
        type="password"
        value={value}
        onChange={setValue}
        {...(faults.value ? { fault: faults.value } : {})}
        autoComplete="new-password"
        autoFocus={replaced !== null}
      />
      <TextField
        label="Only sent to"
        hint="Hosts such as api.example.com or *.example.com. Empty: any host."
        value={hosts}
        onChange={setHosts}
        {...(faults.hosts ? { fault: faults.hosts } : {})}
        autoComplete="off"
        spellCheck={false}
      />
      <Button look="primary" type="submit">
        Save
      </Button>
    </form>
  );
}

/** The hosts of a form. Empty ones of a secret that is replaced are taken away; others stay. */
function hostsOf(text: string, replaced: ListedSecret | null): { hosts?: string[] | null } {
  const hosts = text.split(/[\s,]+/).filter(Boolean);
  if (hosts.length > 0) return { hosts };
  return replaced ? { hosts: null } : {};
}

interface TableProps {
  secrets: ListedSecret[];
  onReplace: (secret: ListedSecret) => void;
  onRemove: (secret: ListedSecret) => void;
}

function SecretTable({ secrets, onReplace, onRemove }: TableProps) {
  return (
    <div className="table-frame">
      <table className="stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Only sent to</th>
            <th scope="col">Used by</th>
            <th scope="col">Changed</th>
            <th scope="col" className="end">
              <span className="hidden-visually">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {secrets.map((secret) => (
            <tr key={secret.name}>
              <th scope="row">
                <code>{secret.name}</code>
              </th>
              <td data-label="Only sent to">
                {secret.hosts ? <code>{secret.hosts.join(", ")}</code> : <span className="muted small">any host</span>}
              </td>
              <td data-label="Used by">
                <UsedBy slugs={secret.usedBy} />
              </td>
              <td className="muted small" data-label="Changed">
                <Ago at={secret.updatedAt} />
              </td>
              <td className="end actions-cell">
                <Button look="quiet" isCompact onClick={() => onReplace(secret)}>
                  Replace
                </Button>
                <Button look="quiet" isCompact isDanger onClick={() => onRemove(secret)}>
                  Delete
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function UsedBy({ slugs }: { slugs: string[] }) {
  const id = useId();
  if (slugs.length === 0) return <span className="muted small">no workflow</span>;
  return (
    <ul className="row" id={id}>
      {slugs.map((slug) => (
        <li key={slug}>
          <Link href={`/app/editor/${slug}`}>{slug}</Link>
        </li>
      ))}
    </ul>
  );
}

function Remove({ secret, onClose }: { secret: ListedSecret; onClose: () => void }) {
  const remove = async (): Promise<void> => {
    onClose();
    try {
      await call("DELETE", `${SECRETS}/${secret.name}`);
      expect<ListedSecret[]>(SECRETS, (rows) => rows.filter((row) => row.name !== secret.name));
      toast(`Deleted ${secret.name}`);
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(SECRETS);
  };
  const count = secret.usedBy.length;
  return (
    <Dialog title={`Delete ${secret.name}?`} onClose={onClose}>
      <p>
        {count === 0
          ? "No workflow uses it."
          : `${count === 1 ? "One workflow uses it" : `${count} workflows use it`}: their calls fail from then on.`}{" "}
        This cannot be taken back.
      </p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Keep it
        </Button>
        <Button isDanger onClick={() => void remove()}>
          Delete secret
        </Button>
      </div>
    </Dialog>
  );
}
