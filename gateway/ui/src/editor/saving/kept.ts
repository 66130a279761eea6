/** Changes that the server does not have yet, kept in this browser: they outlive a tab that is killed. */

import type { Change } from "../document/difference";

/** Steps from a document that the server had: a write that was under way, and what came after it. */
export interface Kept {
  at: string;
  steps: Change[][];
}

const PREFIX = "headrace-draft";

/** The changes of one open editor. Others find them once its tab is gone. */
export class Keeper {
  readonly slug: string;
  private readonly name: string;
  private release: () => void = () => {};

  constructor(slug: string) {
    this.slug = slug;
    this.name = `${PREFIX}:${slug}:${Array.from(crypto.getRandomValues(new Uint32Array(3)), (each) => each.toString(36)).join("")}`;
    // The browser lets the lock go with the tab, however that ends.
    const held = new Promise<void>((resolve) => {
      this.release = resolve;
    });
    void navigator.locks?.request(this.name, () => held);
  }

  /** Keep the changes at once. Returns false where the browser has no room for them. */
  keep(steps: Change[][]): boolean {
    if (steps.every((each) => each.length === 0)) {
      this.clear();
      return true;
    }
    try {
      localStorage.setItem(this.name, JSON.stringify({ at: new Date().toISOString(), steps } satisfies Kept));
      return true;
    } catch {
      return false;
    }
  }

  clear(): void {
    localStorage.removeItem(this.name);
  }

  /** Let others find what is kept. */
  leave(): void {
    this.release();
  }
}

/** Take over what tabs that are gone have kept of the keeper's workflow, oldest first. */
export async function adopt(keeper: Keeper): Promise<Kept[]> {
  const found: Kept[] = [];
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(`${PREFIX}:${keeper.slug}:`)) continue;
    const take = (): void => {
      const kept = read(name);
      if (kept) found.push(kept);
      found.sort((one, other) => one.at.localeCompare(other.at));
      if (keeper.keep(found.flatMap((each) => each.steps))) localStorage.removeItem(name);
    };
    if (!navigator.locks) take();
    else await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && take());
  }
  return found;
}

function read(name: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}
