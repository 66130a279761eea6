/** Events of one execution, read while they are shown or while it runs. */

import { useEffect, useRef, useState } from "react";
import { errorOf } from "../../api/client";
import { type RunEvent, readEvents } from "../../api/events";
import { executionPath } from "./state";

const SETTLE_MS = 400;
const RETRY_MS = 2_000;
const MOST = 2_000;
const STEP_OR_CHILD = /^(node\.(started|retrying|finished)|child\.(started|finished)|execution\.waiting)$/;
const STEP = /^(node\.(started|retrying|finished)|execution\.waiting)$/;

export interface Events {
  /** The newest of them, when there are many. */
  events: RunEvent[];
  count: number;
  error?: string;
}

const NONE: Events = { events: [], count: 0 };

/**
 * Read events; `onStep` is called when a node began, waits, ended or is tried again, and with `hasSteps` when a child
 * began or ended.
 */
export function useEvents(id: string, isWanted: boolean, onStep: () => void, hasSteps = false): Events {
  const step = useRef(onStep);
  step.current = onStep;
  const isHeard = useRef(STEP);
  isHeard.current = hasSteps ? STEP_OR_CHILD : STEP;
  const [found, setFound] = useState<Events>(NONE);
  useEffect(() => {
    if (!isWanted) return undefined;
    const stop = new AbortController();
    let pending: RunEvent[] = [];
    let timer = 0;
    const flush = (): void => {
      timer = 0;
      const fresh = pending;
      pending = [];
      setFound(({ events, count }) => ({ events: [...events, ...fresh].slice(-MOST), count: count + fresh.length }));
      if (fresh.some((event) => isHeard.current.test(event.name))) step.current();
    };
    const hear = (event: RunEvent): void => {
      pending.push(event);
      timer ||= window.setTimeout(flush, SETTLE_MS);
    };
    setFound(NONE);
    follow(id, stop.signal, hear).catch((error: Error) => {
      if (!stop.signal.aborted) setFound((before) => ({ ...before, error: error.message }));
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, isWanted]);
  return found;
}

/** Read to the last event, over broken connections. */
async function follow(id: string, signal: AbortSignal, hear: (event: RunEvent) => void): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    const headers: Record<string, string> = last ? { "last-event-id": last } : {};
    try {
      const answer = await fetch(`${executionPath(id)}/events`, { headers, signal });
      if (answer.status === 204) return;
      if (!answer.ok) throw await errorOf(answer);
      for await (const event of readEvents(answer)) {
        last = event.id;
        hear(event);
        if (event.name === "execution.finished") return;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
}
