/** Begins a batch of the rows of a table. */

import { type Dispatch, useRef, useState } from "react";
import { BATCHES, MOST_BYTES, type StartedBatch, type WrongItem } from "../../api/batches";
import { ApiError, call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";
import { type Column, itemOf } from "./cells";
import { type Change, refusedRows, type Row } from "./rows";

const MEGABYTE = 1024 * 1024;

/** A key for repeats of one request, also where the page has no secure connection. */
function makeKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface Start {
  isBusy: boolean;
  error: ApiError | undefined;
  /** Begin the batch and show its page; `onRefused` hears of a member that is at fault, and says whether it shows that. */
  start: (sent: Row[], members: Record<string, unknown>, onRefused: (field: string, reason: string) => boolean) => Promise<void>;
}

export function useBatchStart(slug: string, columns: Column[], dispatch: Dispatch<Change>): Start {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  // The same body again, after an answer that was lost, is the same batch.
  const last = useRef({ body: "", key: "" });
  const start: Start["start"] = async (sent, members, onRefused) => {
    const content = { items: sent.map(({ cells }) => itemOf(columns, cells)), ...members };
    const body = JSON.stringify(content);
    const bytes = new Blob([body]).size;
    if (bytes > MOST_BYTES) {
      return setError(new ApiError(0, { error: `A batch has at most ${MOST_BYTES / MEGABYTE} MB; this one has ${Math.ceil(bytes / MEGABYTE)}.` }));
    }
    if (last.current.body !== body) last.current = { body, key: makeKey() };
    setBusy(true);
    setError(undefined);
    try {
      const headers = { "idempotency-key": last.current.key };
      const { batchId, items, warnings } = await call<StartedBatch>("POST", `/api/workflows/${slug}/batch`, content, headers);
      toast(`A batch of ${items.toLocaleString("en")} ${items === 1 ? "item" : "items"} begins`);
      for (const warning of warnings ?? []) toast(warning);
      invalidate(BATCHES);
      invalidate("/api/me");
      last.current = { body: "", key: "" };
      navigate(`/app/batches/${batchId}`);
    } catch (reason) {
      const known = reason instanceof ApiError ? reason : new ApiError(0, { error: String(reason) });
      const { items, field, reason: why } = known.details;
      if (Array.isArray(items)) dispatch({ kind: "refuse", faults: refusedRows(items as WrongItem[], sent, columns) });
      const isShown = typeof field === "string" && onRefused(field, typeof why === "string" ? why : known.message);
      if (!isShown) setError(known);
    }
    setBusy(false);
  };
  return { isBusy, error, start };
}
