import { type FormEvent, useId, useState } from "react";
import { call } from "../api/client";
import { ACCOUNTS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { Account } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { TIERS } from "../models/facts";
import { LoginLink } from "./LoginLink";

/** Create an account, then hand out the link that signs its owner in. */
export function CreateAccount({ onClose }: { onClose: () => void }) {
  const id = useId();
  const [email, setEmail] = useState("");
  const [tier, setTier] = useState("free");
  const [refusal, setRefusal] = useState("");
  const [made, setMade] = useState<Account | null>(null);
  if (made) return <LoginLink account={made} onClose={onClose} />;
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      setMade(await call<Account>("POST", ACCOUNTS, { email: email.trim(), tier }));
      invalidate("/api/admin/");
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  return (
    <Dialog title="Create account" onClose={onClose}>
      <form className="stack" onSubmit={create} noValidate>
        <TextField label="E-mail address" type="email" value={email} onChange={setEmail} fault={refusal} autoFocus />
        <div className="field">
          <label htmlFor={id}>Tier</label>
          <select id={id} className="input" value={tier} onChange={(event) => setTier(event.target.value)}>
            {TIERS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </div>
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
