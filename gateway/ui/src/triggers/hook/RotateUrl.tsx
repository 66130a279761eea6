import { useState } from "react";
import { call } from "../../api/client";
import { type Hook, showSaved, triggerPath } from "../../api/triggers";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";

/** Asks before a trigger gets another URL. */
export function RotateUrl({ trigger, onClose }: { trigger: Hook; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const rotate = async (): Promise<void> => {
    setBusy(true);
    try {
      showSaved(await call<Hook>("POST", `${triggerPath(trigger.id)}/rotate`));
      toast("The trigger has a new URL");
    } catch (error) {
      toast((error as Error).message);
    }
    onClose();
  };
  return (
    <Dialog title="Make a new URL?" onClose={onClose}>
      <p>The present one answers 404 at once. Events are lost until the sender has the new one. This cannot be taken back.</p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Keep it
        </Button>
        <Button isDanger disabled={isBusy} onClick={() => void rotate()}>
          Make a new URL
        </Button>
      </div>
    </Dialog>
  );
}
