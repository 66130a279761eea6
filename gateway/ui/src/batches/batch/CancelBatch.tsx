import { useState } from "react";
import { type Batch, BATCHES, batchPath } from "../../api/batches";
import { call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";

function inWords(count: number, [one, many]: [string, string]): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString("en")} ${many}`;
}

/** Asks before the items that wait or run are cancelled. */
export function CancelBatch({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const { queued, processing } = batch.counts;
  const cancel = async (): Promise<void> => {
    setBusy(true);
    try {
      await call("POST", `${batchPath(batch.batchId)}/cancel`);
      toast("The batch stops");
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate(BATCHES);
    onClose();
  };
  return (
    <Dialog title="Cancel this batch?" onClose={onClose}>
      <p>
        {inWords(queued, ["item that waits", "items that wait"])} will never begin, and{" "}
        {inWords(processing, ["that runs", "that run"])} will stop. Results so far stay, and so does what they have cost.
      </p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          Let it go on
        </Button>
        <Button isDanger disabled={isBusy} onClick={() => void cancel()}>
          Cancel it
        </Button>
      </div>
    </Dialog>
  );
}
