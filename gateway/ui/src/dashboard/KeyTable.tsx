import { useState } from "react";
import { call } from "../api/client";
import { KEYS } from "../api/paths";
import { invalidate, replaceAnswer, useResource } from "../api/resource";
import { type Trigger, TRIGGER_LIST, TRIGGERS } from "../api/triggers";
import type { ApiKey, Page } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { toast } from "../components/Toast";
import { EditKey } from "./EditKey";

export function KeyTable({ keys }: { keys: ApiKey[] }) {
  const [asked, setAsked] = useState<ApiKey | null>(null);
  const [edited, setEdited] = useState<ApiKey | null>(null);
  return (
    <>
      <div className="table-frame">
        <table className="stacked">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Key</th>
              <th scope="col">May</th>
              <th scope="col">Last use</th>
              <th scope="col">Expires</th>
              <th scope="col" className="end">
                <span className="hidden-visually">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.id}>
                <th scope="row">
                  {key.name}
                  {key.client && <Granted client={key.client.name} name={key.name} />}
                </th>
                <td>
                  <code>
                    {key.prefix}…{key.last4}
                  </code>
                </td>
                <td>
                  <Capabilities names={key.capabilities} />
                </td>
                <td className="muted small" data-label="Last use">{key.lastUsedAt ? <Ago at={key.lastUsedAt} /> : "Never"}</td>
                <td className="muted small" data-label="Expires">{key.expiresAt ? <Expiry at={key.expiresAt} /> : "Never"}</td>
                <td className="end actions-cell">
                  <Button look="quiet" isCompact onClick={() => setEdited(key)}>
                    Edit
                  </Button>
                  <Button look="quiet" isCompact isDanger onClick={() => setAsked(key)}>
                    Revoke
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {edited && <EditKey apiKey={edited} onClose={() => setEdited(null)} />}
      {asked && <Revoke apiKey={asked} onClose={() => setAsked(null)} />}
    </>
  );
}

/** The mark of a key that the owner has granted to a client. */
function Granted({ client, name }: { client: string; name: string }) {
  return <span className="badge granted">{client === name ? "Granted to this program" : `Granted to ${client}`}</span>;
}

function Expiry({ at }: { at: string }) {
  const isOver = new Date(at) < new Date();
  return <span className={isOver ? "badge bad" : undefined}>{isOver ? "Expired" : <Ago at={at} />}</span>;
}

function Capabilities({ names }: { names: string[] }) {
  return (
    <ul className="row capabilities">
      {names.slice(0, 4).map((name) => (
        <li key={name} className="badge">
          {name}
        </li>
      ))}
      {names.length > 4 && <li className="badge">and {names.length - 4} more</li>}
    </ul>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = async (): Promise<void> => {
    onClose();
    try {
      await call("DELETE", `${KEYS}/${apiKey.id}`);
      replaceAnswer<ApiKey[]>(KEYS, (rows) => rows.filter((row) => row.id !== apiKey.id));
      toast(`Revoked "${apiKey.name}"`);
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(KEYS);
    invalidate(TRIGGERS);
  };
  return (
    <Dialog title={`Revoke "${apiKey.name}"?`} onClose={onClose}>
      <p>
        Its very next call is refused, and its webhook receives nothing more. <PausedTriggers keyId={apiKey.id} /> This cannot be
        taken back.
      </p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Keep it
        </Button>
        <Button isDanger onClick={() => void revoke()}>
          Revoke key
        </Button>
      </div>
    </Dialog>
  );
}

/** The triggers that a key has made, which its end pauses. */
function PausedTriggers({ keyId }: { keyId: string }) {
  const made = useResource<Page<Trigger>>(TRIGGER_LIST).data?.rows.filter((each) => each.enabled && each.createdBy === keyId) ?? [];
  if (made.length === 0) return null;
  const names = made.map((each) => each.name).join(", ");
  return `${made.length === 1 ? "The trigger that it made is" : `The ${made.length} triggers that it made are`} paused: ${names}.`;
}
