/** Answers about batches that go on: no event of the account tells of them, so they are read again. */

import { useEffect } from "react";
import { invalidate } from "../api/resource";

const RENEW_MS = 1_500;

/** Read answers whose paths begin with `prefix` again and again, while it is wanted and the page is in view. */
export function useRenewal(prefix: string, isWanted: boolean): void {
  useEffect(() => {
    if (!isWanted) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && invalidate(prefix), RENEW_MS);
    return () => clearInterval(timer);
  }, [prefix, isWanted]);
}
