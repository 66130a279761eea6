import { type FormEvent, useId, useState } from "react";
import { call } from "../api/client";
import { expect, invalidate, useResource } from "../api/resource";
import type { Secret } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Empty, Failed, Loading } from "../components/States";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";
import { Link } from "../shell/router";

const SECRETS = "/api/secrets";
const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Keys and passwords that HTTP requests of workflows carry. */
export function SecretsTab() {
  const secrets = useResource<Secret[]>(SECRETS);
  const [replaced, setReplaced] = useState("");
  const [removed, setRemoved] = useState<Secret | null>(null);
  return (
    <div className="stack">
      <p className="hint">
        HTTP requests of your workflows carry secrets by name. Nobody can read a value again, not even you.
      </p>
      <SecretForm key={replaced} name={replaced} onDone={() => setReplaced("")} />
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

function SecretForm({ name: given, onDone }: { name: string; onDone: () => void }) {
  const [name, setName] = useState(given);
  const [value, setValue] = useState("");
  const [faults, setFaults] = useState<{ name?: string; value?: string }>({});
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const found: typeof faults = {};
    if (!NAME.test(name)) found.name = "Use capital letters, digits and _, a letter first, such as SHOP_KEY.";
    if (!value) found.value = "Paste the key or password.";
    setFaults(found);
    if (found.name || found.value) return;
    try {
      await call("PUT", `${SECRETS}/${name}`, { value });
      toast(`Saved ${name}`);
      setName("");
      setValue("");
      onDone();
      invalidate(SECRETS);
    } catch (error) {
      setFaults({ value: (error as Error).message });
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
        autoFocus={given !== ""}
      />
      <Button look="primary" type="submit">
        Save
      </Button>
    </form>
  );
}

interface TableProps {
  secrets: Secret[];
  onReplace: (name: string) => void;
  onRemove: (secret: Secret) => void;
}

function SecretTable({ secrets, onReplace, onRemove }: TableProps) {
  return (
    <div className="table-frame">
      <table className="stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
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
              <td data-label="Used by">
                <UsedBy slugs={secret.usedBy} />
              </td>
              <td className="muted small" data-label="Changed">
                <Ago at={secret.updatedAt} />
              </td>
              <td className="end actions-cell">
                <Button look="quiet" isCompact onClick={() => onReplace(secret.name)}>
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

function Remove({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const remove = async (): Promise<void> => {
    onClose();
    try {
      await call("DELETE", `${SECRETS}/${secret.name}`);
      expect<Secret[]>(SECRETS, (rows) => rows.filter((row) => row.name !== secret.name));
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
