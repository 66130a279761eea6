import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { KEYS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { ApiKey } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";
import { ExpiryField, momentOf, NEVER } from "./ExpiryField";

/** Another name and another expiry for a key; its capabilities are fixed. */
export function EditKey({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const [name, setName] = useState(apiKey.name);
  const [expiry, setExpiry] = useState(apiKey.expiresAt ? "" : NEVER);
  const [fault, setFault] = useState("");
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const change = expiry === "" ? { name } : { name, expiresAt: momentOf(expiry) };
    try {
      await call("PATCH", `${KEYS}/${apiKey.id}`, change);
      toast(`Saved "${name}"`);
      invalidate(KEYS);
      onClose();
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <Dialog title={`Edit "${apiKey.name}"`} onClose={onClose}>
      <form className="stack" onSubmit={save} noValidate>
        <TextField label="Name" value={name} onChange={setName} fault={fault} maxLength={100} autoFocus />
        <ExpiryField value={expiry} onChange={setExpiry} kept={apiKey.expiresAt ?? undefined} />
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
