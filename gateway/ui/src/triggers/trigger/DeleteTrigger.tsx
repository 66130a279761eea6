import { useState } from "react";
import { call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { type Trigger, TRIGGERS, triggerPath } from "../../api/triggers";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";

/** Asks before a trigger is deleted. */
export function DeleteTrigger({ trigger, onClose }: { trigger: Trigger; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const remove = async (): Promise<void> => {
    setBusy(true);
    try {
      await call("DELETE", triggerPath(trigger.id));
      toast(`Deleted ${trigger.name}`);
      navigate("/app/triggers");
    } catch (error) {
      toast((error as Error).message);
      onClose();
    }
    invalidate(TRIGGERS);
  };
  return (
    <Dialog title={`Delete ${trigger.name}?`} onClose={onClose}>
      <p>
        {trigger.kind === "schedule" ? "It starts no run any more." : "Its URL answers 404 from then on, and a new trigger has another one."}{" "}
        Runs that go on are not stopped, and its executions stay. This cannot be taken back; pausing can.
      </p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Keep it
        </Button>
        <Button isDanger disabled={isBusy} onClick={() => void remove()}>
          Delete trigger
        </Button>
      </div>
    </Dialog>
  );
}
