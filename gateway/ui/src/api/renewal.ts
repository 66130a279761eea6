/** Answers that no event of the account tells of: they are read again. */

import { useEffect, useRef } from "react";
import { invalidate } from "./resource";

const RENEW_MS = 1_500;

/** Read answers whose paths begin with `prefix` again and again, while it is wanted and the page is in view. */
export function useRenewal(prefix: string, isWanted: boolean, everyMs = RENEW_MS): void {
  useEffect(() => {
    if (!isWanted) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && invalidate(prefix), everyMs);
    return () => clearInterval(timer);
  }, [prefix, isWanted, everyMs]);
}

/** Read one answer again and again, while the page is in view. */
export function useReload(reload: () => void, everyMs: number): void {
  const newest = useRef(reload);
  newest.current = reload;
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && newest.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}
