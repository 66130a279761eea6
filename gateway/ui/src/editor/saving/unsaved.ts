/** Changes that the server does not have yet, kept in the storage of this browser: they outlive a tab that is killed. */

import type { Change } from "../document/difference";

/** Changes in steps from a document that the server had: those of a write that was under way, and later ones. */
export interface UnsavedSteps {
  at: string;
  steps: Change[][];
}

const PREFIX = "headrace-draft";

/** The unsaved changes of one open editor. Other editors find them once its tab is gone. */
export class UnsavedChanges {
  readonly slug: string;
  private readonly name: string;
  private releaseLock: () => void = () => {};

  constructor(slug: string) {
    this.slug = slug;
    this.name = `${PREFIX}:${slug}:${Array.from(crypto.getRandomValues(new Uint32Array(3)), (each) => each.toString(36)).join("")}`;
    // The browser lets the lock go with the tab, however that ends.
    const held = new Promise<void>((resolve) => {
      this.releaseLock = resolve;
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
      localStorage.setItem(this.name, JSON.stringify({ at: new Date().toISOString(), steps } satisfies UnsavedSteps));
      return true;
    } catch {
      return false;
    }
  }

  clear(): void {
    localStorage.removeItem(this.name);
  }

  /** Let other editors take over the changes. */
  release(): void {
    this.releaseLock();
  }
}

/** Take over the unsaved changes of tabs that are gone, oldest first. */
export async function takeOver(unsaved: UnsavedChanges): Promise<UnsavedSteps[]> {
  const former: UnsavedSteps[] = [];
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(`${PREFIX}:${unsaved.slug}:`)) continue;
    const move = (): void => {
      const steps = parse(localStorage.getItem(name));
      if (steps) former.push(steps);
      former.sort((one, other) => one.at.localeCompare(other.at));
      if (unsaved.keep(former.flatMap((each) => each.steps))) localStorage.removeItem(name);
    };
    if (!navigator.locks) move();
    else await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && move());
  }
  return former;
}

function parse(text: string | null): UnsavedSteps | null {
  try {
    return JSON.parse(text ?? "null") as UnsavedSteps | null;
  } catch {
    return null;
  }
}
