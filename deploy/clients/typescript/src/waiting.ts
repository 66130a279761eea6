/** Time: pauses, deadlines and signals. */

import { WaitTimeoutError, type Waited } from "./errors.ts";

/** Options of every call. */
export interface CallOptions {
  /** Ends the call; its reason is thrown. What the server has begun goes on. */
  signal?: AbortSignal | undefined;
  /** Longest time for the whole call in milliseconds, with retries and waits; none by default. */
  timeoutMs?: number | undefined;
}

/** Timers take no longer times, and fire at once for them. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Wakes those who pause with it. */
export class Bell {
  readonly #sleepers = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  add(wake: () => void): void {
    this.#sleepers.add(wake);
  }

  delete(wake: () => void): void {
    this.#sleepers.delete(wake);
  }
}

/** The end of a call's time, and its signal. */
export class Deadline {
  readonly signal: AbortSignal | undefined;
  /** Named in the error when the time is over. */
  waited: Waited;
  readonly #end: number;

  constructor({ signal, timeoutMs = Infinity }: CallOptions = {}, waited: Waited = {}) {
    this.signal = signal;
    this.waited = waited;
    this.#end = performance.now() + timeoutMs;
  }

  /** Milliseconds that are left, at least 0. */
  get leftMs(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** Throw the signal's reason, or WaitTimeoutError once the time is over. */
  check(): void {
    this.signal?.throwIfAborted();
    if (this.leftMs === 0) throw new WaitTimeoutError(this.waited);
  }

  /** Wait, until the bell rings at the latest. Throws the signal's reason, or WaitTimeoutError. */
  async pause(ms: number, bell?: Bell): Promise<void> {
    this.check();
    // A timer may be a moment early.
    await sleep(Math.min(ms, this.leftMs + 1), this.signal, bell);
    this.check();
  }
}

function sleep(ms: number, signal?: AbortSignal, bell?: Bell): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      bell?.delete(wake);
      how();
    };
    const stop = settle(() => reject(signal?.reason));
    const wake = settle(resolve);
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", stop);
    bell?.add(wake);
  });
}

/** Pauses that double up to a bound; each is cut by a random part, so that callers spread. */
export class Backoff {
  #next: number;
  readonly #most: number;

  constructor(first: number, most: number) {
    this.#next = first;
    this.#most = most;
  }

  /** Return the next pause in milliseconds. */
  next(): number {
    const pause = this.#next;
    this.#next = Math.min(this.#most, pause * 2);
    return pause * (0.5 + Math.random() / 2);
  }
}
