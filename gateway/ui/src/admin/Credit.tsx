import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { ACCOUNTS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { Account } from "../api/types";
import { credits } from "../components/Ago";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";

/** Add credits to an account, with a note for the audit log. */
export function Credit({ account, onClose }: { account: Account; onClose: () => void }) {
  const [amount, setAmount] = useState("");
  const [note, setNote] = useState("");
  const [refusal, setRefusal] = useState("");
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const count = Number(amount);
    if (!Number.isInteger(count) || count < 1) return setRefusal("Give a whole number of credits, 1 or more.");
    try {
      await call("POST", `${ACCOUNTS}/${account.id}/credit`, { credits: count, note });
      toast(`Added ${credits(count)} to ${account.email}`);
      invalidate("/api/admin/");
      invalidate("/api/me");
      onClose();
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  return (
    <Dialog title={`Add credits to ${account.email}`} onClose={onClose}>
      <form className="stack" onSubmit={add} noValidate>
        <TextField label="Credits" inputMode="numeric" value={amount} onChange={setAmount} autoFocus />
        <TextField label="Note" value={note} onChange={setNote} hint="Kept in the audit log." />
        {refusal && (
          <p className="note bad" role="alert">
            {refusal}
          </p>
        )}
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Add credits
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
