/** Automatic saving of the draft. */

import { ApiError, call } from "../../api/client";
import type { Check } from "../catalogue/check";
import type { EditorDocument } from "../document/document";
import type { EditorStore } from "../document/store";

interface Saved extends Check {
  revision: number;
  basedOn: number | null;
  savedAt: string;
}

const PAUSE_MS = 800;
const LONGEST_MS = 1_900;
const RETRY_MS = 2_000;

/** Saves the draft of one editor soon after each change. */
export class Saver {
  private readonly store: EditorStore;
  private saved: EditorDocument;
  private timer = 0;
  private changedAt = 0;
  private isWriting = false;

  constructor(store: EditorStore) {
    this.store = store;
    this.saved = store.document;
  }

  /** Follow the document until the returned function is called. */
  follow(): () => void {
    let seen = this.store.document;
    const unsubscribe = this.store.subscribe(() => {
      if (this.store.document === seen) return;
      seen = this.store.document;
      this.later();
    });
    return () => {
      unsubscribe();
      clearTimeout(this.timer);
      void this.save();
    };
  }

  /** Whether all changes have reached the server. */
  get isClean(): boolean {
    return this.saved === this.store.document;
  }

  /** Save now what is not saved yet. */
  async save(): Promise<void> {
    clearTimeout(this.timer);
    this.changedAt = 0;
    if (this.isWriting || this.isClean || this.store.get().saving.status === "conflict") return;
    const document = this.store.document;
    this.isWriting = true;
    this.tell({ status: "saving" });
    try {
      const guard = { "if-match": `"${this.store.get().saving.revision}"` };
      const answer = await call<Saved>("PUT", `/api/workflows/${this.store.slug}/draft`, document, guard);
      this.saved = document;
      this.tell({ status: "saved", revision: answer.revision, savedAt: answer.savedAt });
    } catch (error) {
      this.fail(error as Error);
    }
    this.isWriting = false;
    if (!this.isClean && this.store.get().saving.status === "saved") this.later();
  }

  private later(): void {
    this.changedAt ||= Date.now();
    const left = Math.max(0, this.changedAt + LONGEST_MS - Date.now());
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), Math.min(PAUSE_MS, left));
  }

  private fail(error: Error): void {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 412) return this.tell({ status: "conflict" });
    if (status === 0 || status === 429 || status >= 500) {
      this.tell({ status: "offline" });
      this.timer = window.setTimeout(() => void this.save(), RETRY_MS);
      return;
    }
    this.tell({ status: "refused", reason: error.message });
  }

  private tell(changes: Partial<ReturnType<EditorStore["get"]>["saving"]>): void {
    const { reason: _, ...saving } = this.store.get().saving;
    this.store.set({ saving: { ...saving, ...changes } });
  }
}
