/** Pace: calls of a limited route wait for the window that has room for them. */

import { Bell, type Deadline } from "./waiting.ts";

/** Length of the windows of the API. */
const WINDOW_MS = 60_000;
/** Calls that wait for a window begin within this time behind its start. */
const SPREAD_MS = 200;
/** Longest time that calls of an unknown route wait for the first answer, which tells its limit. */
const FIRST_ANSWER_MS = 2_000;

/** Figures of an answer's headers; `reset` is the end of the window on the server's clock. */
interface Figures {
  limit: number;
  left: number;
  reset: number;
  end: number;
}

/** What one route has left, as its answers tell it. */
class Window {
  readonly bell = new Bell();
  knowledge: "none" | "asked" | "limited" | "free" = "none";
  #limit = 0;
  #left = 0;
  #end = 0;
  // Null for a window that has begun by this client's clock, and of which no answer has told.
  #reset: number | null = null;
  #underWay = 0;

  /** Count a call and return 0, or return the milliseconds after which to ask again. */
  enter(now: number): number {
    if (this.knowledge === "limited") {
      if (now >= this.#end) [this.#left, this.#reset, this.#end] = [this.#limit, null, now + WINDOW_MS];
      if (this.#left <= 0) return this.#end - now + Math.random() * SPREAD_MS;
      this.#left -= 1;
    } else if (this.knowledge === "asked") {
      return FIRST_ANSWER_MS;
    } else if (this.knowledge === "none") {
      this.knowledge = "asked";
    }
    this.#underWay += 1;
    return 0;
  }

  /** Stop waiting for the first answer. */
  giveUp(): void {
    if (this.knowledge === "asked") this.knowledge = "free";
  }

  leave(figures: Figures | null, isKnown: boolean): void {
    this.#underWay -= 1;
    if (figures) this.#learn(figures);
    else if (isKnown) this.knowledge = "free";
    else if (this.knowledge === "asked") this.knowledge = "none";
    this.bell.ring();
  }

  #learn({ limit, left, reset, end }: Figures): void {
    this.#limit = limit;
    if (this.knowledge === "limited" && this.#reset !== null && reset < this.#reset) return; // of a former window
    const isNew = this.knowledge !== "limited" || (this.#reset !== null && reset > this.#reset);
    if (this.#reset === null && this.knowledge === "limited" && end <= performance.now()) return;
    // The server counts calls under way as they come: within a window the least that was told holds.
    this.#left = Math.min(left, isNew ? limit - this.#underWay : this.#left);
    [this.#reset, this.#end, this.knowledge] = [reset, end, "limited"];
  }
}

export class Pacer {
  readonly #windows = new Map<string, Window>();

  /** Wait until the route has room. Each call that was let in calls `note` once. */
  async take(route: string, deadline: Deadline): Promise<void> {
    const window = this.#windows.get(route) ?? new Window();
    this.#windows.set(route, window);
    const began = performance.now();
    for (;;) {
      const ms = window.enter(performance.now());
      if (ms === 0) return;
      await deadline.pause(ms, window.bell);
      if (performance.now() - began >= FIRST_ANSWER_MS) window.giveUp();
    }
  }

  /** Note the end of a call; null: no answer came. */
  note(route: string, response: Response | null): void {
    const figures = response && figuresOf(response.headers);
    // An answer that succeeds without figures is that of an account without limits.
    this.#windows.get(route)?.leave(figures, response?.ok ?? false);
  }
}

function figuresOf(headers: Headers): Figures | null {
  const [limit, left, reset] = ["limit", "remaining", "reset"].map((name) => Number(headers.get(`x-ratelimit-${name}`) ?? NaN));
  if (limit === undefined || left === undefined || reset === undefined || Number.isNaN(limit + left + reset)) return null;
  // By the server's own clock where the answer tells it, which is that of the headers.
  const now = Date.parse(headers.get("date") ?? "") || Date.now();
  return { limit, left, reset, end: performance.now() + reset * 1000 - now };
}
