import { useId, useState } from "react";
import { call } from "../api/client";
import { SECRETS } from "../api/paths";
import { invalidate, replaceAnswer, useResource } from "../api/resource";
import { type Trigger, TRIGGER_LIST } from "../api/triggers";
import type { ListedSecret, Page } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Empty, Failed, Loading } from "../components/States";
import { toast } from "../components/Toast";
import { Link } from "../shell/router";
import { SecretForm } from "./SecretForm";

/** Keys and passwords that HTTP requests of workflows carry. */
export function SecretsTab() {
  const secrets = useResource<ListedSecret[]>(SECRETS);
  const [replaced, setReplaced] = useState<ListedSecret | null>(null);
  const [removed, setRemoved] = useState<ListedSecret | null>(null);
  return (
    <div className="stack">
      <p className="hint">
        HTTP requests of your workflows carry secrets by name, and inbound webhooks verify events with them. Nobody can read a value again, not
        even you.
      </p>
      <SecretForm
        key={replaced?.name ?? ""}
        className="secret-form"
        secrets={secrets.data ?? []}
        replaced={replaced}
        onSaved={(name) => {
          toast(`Saved ${name}`);
          setReplaced(null);
        }}
      />
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
                <UsedBy secret={secret} />
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

function UsedBy({ secret: { name, usedBy } }: { secret: ListedSecret }) {
  const id = useId();
  const triggers = useVerified(name);
  if (usedBy.length === 0 && triggers.length === 0) return <span className="muted small">nothing</span>;
  return (
    <ul className="row" id={id}>
      {usedBy.map((slug) => (
        <li key={slug}>
          <Link href={`/app/editor/${slug}`}>{slug}</Link>
        </li>
      ))}
      {triggers.map((trigger) => (
        <li key={trigger.id}>
          <Link href={`/app/triggers/${trigger.id}`}>{trigger.name}</Link>
        </li>
      ))}
    </ul>
  );
}

/** The inbound webhooks that verify events with a secret. */
function useVerified(name: string): Trigger[] {
  const triggers = useResource<Page<Trigger>>(TRIGGER_LIST).data?.rows ?? [];
  return triggers.filter((each) => each.kind === "webhook" && each.verify.secret === name);
}

function Remove({ secret, onClose }: { secret: ListedSecret; onClose: () => void }) {
  const remove = async (): Promise<void> => {
    onClose();
    try {
      await call("DELETE", `${SECRETS}/${secret.name}`);
      replaceAnswer<ListedSecret[]>(SECRETS, (rows) => rows.filter((row) => row.name !== secret.name));
      toast(`Deleted ${secret.name}`);
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(SECRETS);
  };
  const triggers = useVerified(secret.name).length;
  return (
    <Dialog title={`Delete ${secret.name}?`} onClose={onClose}>
      <p>
        {usesInWords(secret.usedBy.length, triggers)} This cannot be taken back.
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

function usesInWords(workflows: number, triggers: number): string {
  const uses: string[] = [];
  if (workflows > 0) uses.push(`${workflows === 1 ? "One workflow uses it" : `${workflows} workflows use it`}: their calls fail from then on.`);
  if (triggers > 0) uses.push(`${triggers === 1 ? "One inbound webhook verifies" : `${triggers} inbound webhooks verify`} events with it: they are refused from then on.`);
  return uses.join(" ") || "Nothing uses it.";
}
