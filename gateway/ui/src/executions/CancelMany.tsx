import { useEffect, useState } from "react";
import { call, get } from "../api/client";
import { invalidate } from "../api/resource";
import type { CancelledExecutions, ExecutionRow, Page } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { toast } from "../components/Toast";
import { conditions, type Filters, queryOf } from "./filters";

const COUNTED = 500;

interface Count {
  number: number;
  isExact: boolean;
}

/** Count the running executions of a query, up to a page of them. */
async function count(query: string): Promise<Count> {
  const page = await get<Page<ExecutionRow>>(`/api/executions?${query}&limit=${COUNTED}`);
  return { number: page.rows.length, isExact: page.nextCursor === null };
}

function inWords({ number, isExact }: Count): string {
  return `${isExact ? "" : "more than "}${number.toLocaleString("en")} ${number === 1 ? "execution" : "executions"}`;
}

/** Asks before all running executions that the filters fit are cancelled. */
export function CancelMany({ filters, onClose }: { filters: Filters; onClose: () => void }) {
  const [body] = useState(() => ({ ...conditions(filters, Date.now()), status: ["processing"] }));
  const [found, setFound] = useState<Count>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    count(queryOf(body)).then(setFound, (error: Error) => (toast(error.message), onClose()));
  }, [body, onClose]);
  const cancel = async (): Promise<void> => {
    setBusy(true);
    let cancelled = 0;
    try {
      for (let isMore = true; isMore; ) {
        const done = await call<CancelledExecutions>("POST", "/api/executions/cancel", forBody(body));
        cancelled += done.cancelled;
        isMore = done.more && done.cancelled > 0;
      }
      toast(`Cancelled ${inWords({ number: cancelled, isExact: true })}`);
    } catch (error) {
      toast((error as Error).message);
    }
    invalidate("/api/executions");
    onClose();
  };
  return (
    <Dialog title="Cancel running executions?" onClose={onClose}>
      <p role="status">
        {!found && "Counting…"}
        {found?.number === 0 && "None that the filters fit is running."}
        {found && found.number > 0 && `${inWords(found)} that the filters fit will stop. What they have cost so far stays charged.`}
      </p>
      <div className="actions">
        <Button look="quiet" onClick={onClose} autoFocus>
          {found?.number === 0 ? "Close" : "Keep them"}
        </Button>
        {found?.number !== 0 && (
          <Button isDanger disabled={!found || isBusy} onClick={() => void cancel()}>
            {found ? `Cancel ${inWords(found)}` : "Cancel"}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** A version is a number in bodies. */
function forBody(found: Record<string, string | string[]>): Record<string, unknown> {
  return found.version ? { ...found, version: Number(found.version) } : found;
}
