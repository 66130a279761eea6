/** Saving of the draft: soon after each change, guarded by its revision, merged with what others have saved. */

import { ApiError, call } from "../../api/client";
import { watchSaves } from "../../api/live";
import type { WorkflowRow } from "../../api/types";
import { toast } from "../../components/Toast";
import type { Check } from "../catalogue/check";
import { type Change, difference, same, share } from "../document/difference";
import { documentOf, type EditorDocument } from "../document/document";
import { type Conflict, hasArrived, isSettled, merge, takeTheirs } from "../document/merge";
import type { EditorStore } from "../document/store";
import type { Keeper } from "./kept";
import { findRow, readDraft, readLive } from "./server";
import { type Saving, WHY_NOT } from "./state";

interface Saved extends Check {
  revision: number;
  savedAt: string;
}

type Published = EditorDocument & { version: number };

const PAUSE_MS = 800;
const LONGEST_MS = 1_900;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const SHOWN_MS = 8_000;
const MERGED_MS = 30_000;

/** Last writes of editors that were left, by workflow. */
const leaving = new Map<string, Promise<void>>();

/** Wait for the last write of an editor of the workflow that was left on this page. */
export async function left(slug: string): Promise<void> {
  await leaving.get(slug);
}

export class Saver {
  private readonly store: EditorStore;
  private readonly keeper: Keeper;
  /** The document that the server has at the known revision. */
  private saved: EditorDocument;
  /** The document of a write whose answer is not known. */
  private sent: EditorDocument | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private isBusy = false;
  private timer = 0;
  private shownTimer = 0;
  private changedAt = 0;
  private failures = 0;
  private toldAt = 0;
  /** A row that was heard of while the page was hidden; null: any. */
  private missed: WorkflowRow | null | undefined;

  constructor(store: EditorStore, saved: EditorDocument, keeper: Keeper) {
    this.store = store;
    this.saved = saved;
    this.keeper = keeper;
    store.saveNow = () => this.flush(true);
    store.dropUnchanged = () => this.dropUnchanged();
    this.keep();
  }

  /** Follow the document and its copies elsewhere, until the returned function is called. */
  follow(): () => void {
    let seen = this.store.document;
    const unsubscribe = this.store.subscribe(() => {
      if (this.store.document === seen) return;
      seen = this.store.document;
      this.changed();
    });
    const unwatch = watchSaves((row) => this.hear(row));
    const listen = new AbortController();
    const { signal } = listen;
    addEventListener("online", () => this.retry(), { signal });
    addEventListener("offline", () => !this.isClean && this.tell({ status: "offline" }), { signal });
    addEventListener("pagehide", () => this.hide(), { signal });
    addEventListener("beforeunload", (event) => this.store.get().saving.isUnkept && event.preventDefault(), { signal });
    window.document.addEventListener("visibilitychange", () => this.turnVisible(), { signal });
    if (!this.isClean) this.later();
    return () => {
      unsubscribe();
      unwatch();
      listen.abort();
      clearTimeout(this.shownTimer);
      leaving.set(this.store.slug, this.leave());
    };
  }

  /**
   * Save now what is not saved yet, `asDraft` also where there is no draft and nothing has changed.
   *
   * Throws what keeps it from being saved.
   */
  async flush(asDraft = false): Promise<void> {
    await this.inTurn(() => this.write(false, asDraft));
    const { status, reason, revision } = this.store.get().saving;
    if (!this.isClean || (asDraft && revision === 0)) throw new Error(reason ?? WHY_NOT[status] ?? "The changes are not saved yet.");
  }

  /** Take away a draft that is as callers run it; one that cannot be reached now stays. */
  private async dropUnchanged(): Promise<void> {
    await this.inTurn(async () => {
      if (this.isClean && this.isAsLive && this.store.get().saving.revision > 0) await this.remove();
      this.settle();
    }).catch(() => undefined);
  }

  /** Remove the draft from the server, where it may be gone already. */
  private async remove(isLeaving = false): Promise<void> {
    await this.guarded("DELETE", "", undefined, isLeaving).catch((error: ApiError) => {
      if (error.code !== "DRAFT_NOT_FOUND") throw error;
    });
    this.tell({ revision: 0, savedAt: null });
  }

  /** Publish the draft as shown. Throws ApiError with what speaks against it. */
  async publish(note: string, force: boolean): Promise<void> {
    await this.flush();
    await this.inTurn(async () => {
      this.tell({ publishing: "publishing" });
      try {
        const answer = await this.guarded<Published>("POST", "/publish", { note: note || null, force });
        this.adoptLive(documentOf(answer), answer.version);
        this.saved = this.store.get().saving.live ?? this.saved;
        this.tell({ revision: 0, savedAt: null, publishing: "published" });
        clearTimeout(this.shownTimer);
        this.shownTimer = window.setTimeout(() => this.tell({ publishing: "idle" }), SHOWN_MS);
        this.settle();
      } catch (error) {
        this.tell({ publishing: "idle" });
        throw await this.explained(error);
      }
    });
  }

  /** Discard the draft; undo brings it back. */
  async discard(): Promise<void> {
    await this.inTurn(async () => {
      const { live, revision } = this.store.get().saving;
      if (!live) return;
      try {
        if (revision > 0) await this.remove();
      } catch (error) {
        throw await this.explained(error);
      }
      this.saved = live;
      this.tell({ conflicts: [], recoveredAt: null });
      this.store.edit(() => live);
      this.settle();
    });
  }

  /** Publish a former version anew; a draft stays as it is. */
  async restore(version: number): Promise<number> {
    return this.inTurn(async () => {
      const path = `/api/workflows/${this.store.slug}/versions/${version}/restore`;
      const answer = await call<Published>("POST", path);
      this.adoptLive(documentOf(answer), answer.version);
      if (this.store.get().saving.revision === 0) this.take(documentOf(answer), 0, null);
      return answer.version;
    });
  }

  /** Choose a side of a conflict. */
  choose(conflict: Conflict, side: "mine" | "theirs"): void {
    const { conflicts, theirs } = this.store.get().saving;
    const rest = conflicts.filter((each) => each !== conflict);
    this.tell({ conflicts: rest, status: rest.length > 0 ? "conflict" : "saving" });
    if (side === "theirs" && theirs) this.store.edit((document) => takeTheirs(document, theirs, conflict));
    this.settle();
  }

  /** Take back what a former tab had kept; undo brings it back. */
  dropRecovered(): void {
    this.tell({ conflicts: [], recoveredAt: null });
    this.store.edit(() => this.saved);
    this.settle();
  }

  /** Whether the document is the one that callers run. */
  private get isAsLive(): boolean {
    const { live } = this.store.get().saving;
    return live !== null && difference(live, this.store.document).length === 0;
  }

  private get isClean(): boolean {
    return difference(this.saved, this.store.document).length === 0;
  }

  private changed(): void {
    this.keep();
    if (this.store.get().saving.publishing === "published") this.tell({ publishing: "idle" });
    this.later();
  }

  private keep(): void {
    const { document } = this.store;
    const steps: Change[][] = this.sent
      ? [difference(this.saved, this.sent), difference(this.sent, document)]
      : [difference(this.saved, document)];
    const isUnkept = !this.keeper.keep(steps);
    if (isUnkept !== this.store.get().saving.isUnkept) this.tell({ isUnkept });
  }

  private later(): void {
    const { status } = this.store.get().saving;
    if (status === "conflict") return;
    if (!navigator.onLine) return this.tell({ status: "offline" });
    if (status === "offline" || status === "waiting") return;
    this.tell({ status: "saving" });
    this.changedAt ||= Date.now();
    const left = Math.max(0, this.changedAt + LONGEST_MS - Date.now());
    this.schedule(Math.min(PAUSE_MS, left));
  }

  private schedule(pause: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.inTurn(() => this.write()), pause);
  }

  private retry(): void {
    this.failures = 0;
    if (this.isClean) this.tell({ status: "saved" });
    else this.schedule(0);
    this.hear(null);
  }

  /** Let one thing after the other speak to the server. */
  private async inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.turn.then(async () => {
      this.isBusy = true;
      try {
        return await task();
      } finally {
        this.isBusy = false;
      }
    });
    this.turn = run.catch(() => undefined);
    return run;
  }

  private guarded<T>(method: "PUT" | "POST" | "DELETE", rest: string, body?: unknown, isLeaving = false): Promise<T> {
    const path = `/api/workflows/${this.store.slug}${method === "POST" ? rest : "/draft"}`;
    return call<T>(method, path, body, { "if-match": `"${this.store.get().saving.revision}"` }, isLeaving);
  }

  private async write(isLeaving = false, asDraft = false): Promise<void> {
    clearTimeout(this.timer);
    this.changedAt = 0;
    if (this.store.get().saving.conflicts.length > 0) return this.tell({ status: "conflict" });
    const { revision } = this.store.get().saving;
    const isMissing = asDraft && revision === 0;
    if (this.isClean && !isMissing) return this.settle();
    if (!navigator.onLine) return this.tell({ status: "offline" });
    const { document } = this.store;
    this.sent = document;
    this.tell({ status: "saving" });
    try {
      // Changes that were taken back leave no draft.
      if (!asDraft && revision > 0 && this.isAsLive) await this.remove(isLeaving);
      else await this.put(document, isLeaving);
      this.saved = document;
      this.sent = null;
      this.failures = 0;
      this.settle();
    } catch (error) {
      await this.fail(error as ApiError);
    }
  }

  private async put(document: EditorDocument, isLeaving: boolean): Promise<void> {
    const { revision, savedAt } = await this.guarded<Saved>("PUT", "", document, isLeaving);
    this.tell({ revision, savedAt });
  }

  /** Tell how things stand, and go on with what came meanwhile. */
  private settle(): void {
    this.keep();
    const conflicts = this.store.get().saving.conflicts.filter((each) => !isSettled(this.store.document, each));
    if (conflicts.length > 0) return this.tell({ conflicts, status: "conflict" });
    this.tell({ conflicts, status: this.isClean ? "saved" : "saving" });
    if (!this.isClean) this.later();
  }

  private async fail(error: ApiError): Promise<void> {
    const { status } = error;
    if (status === 412) {
      this.failures = 0;
      return this.pull(null).catch((reason: ApiError) => this.fail(reason));
    }
    this.sent = status === 0 ? this.sent : null;
    if (status !== 0 && status !== 429 && status < 500) return this.tell({ status: "refused", reason: error.message });
    this.tell(status === 0 ? { status: "offline" } : { status: "waiting", reason: error.message });
    const pause = (error.retryAfter ?? 0) * 1_000 || Math.min(RETRY_MS * 2 ** this.failures, LONGEST_RETRY_MS);
    this.failures += 1;
    this.schedule(pause);
  }

  /** Look after what stands against publishing or discarding, and say it in a sentence. */
  private async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof ApiError) || error.status !== 412) return error;
    await this.pull(null);
    return new Error("Somebody else has saved in between. Their changes are in the document now: look again.");
  }

  private hear(row: WorkflowRow | null): void {
    if (row && row.slug !== this.store.slug) return;
    if (window.document.hidden) {
      this.missed = row;
      return;
    }
    void this.inTurn(() => this.pull(row)).catch(() => {
      // The connection tells when it is back, which comes here again.
    });
  }

  /** Read what the server has, if it is not what is known, and merge it. A row that was heard may be older. */
  private async pull(heard: WorkflowRow | null): Promise<void> {
    const { slug } = this.store;
    const { revision, liveVersion } = this.store.get().saving;
    const isAsKnown = heard?.hasDraft && revision > 0 && heard.version === liveVersion;
    const row = isAsKnown ? heard : await findRow(slug);
    if (!row) return this.tell({ status: "refused", reason: "This workflow has been deleted." });
    if (row.version !== liveVersion) {
      const read = await readLive(slug);
      if (read.version !== null) this.adoptLive(read.document, read.version);
    }
    if (row.hasDraft) {
      const draft = await readDraft(slug, revision);
      if (draft) this.take(draft.document, draft.revision, draft.savedAt);
    } else if (revision > 0 || row.version !== liveVersion) {
      const { live } = this.store.get().saving;
      if (live) this.take(live, 0, null);
    }
  }

  /** Merge a document that the server has now. */
  private take(document: EditorDocument, revision: number, savedAt: string | null): void {
    const base = this.sent && hasArrived(difference(this.saved, this.sent), document) ? this.sent : this.saved;
    const theirs = share(base, document);
    const changes = difference(base, theirs).length;
    this.saved = theirs;
    this.sent = null;
    if (changes > 0) {
      const { carry, conflicts, renamed } = merge(base, this.store.get().history, theirs);
      this.store.carry(carry, renamed.nodes);
      const isNew = (one: Conflict): boolean => !conflicts.some((each) => each.id === one.id && each.field === one.field);
      const open = this.store.get().saving.conflicts.filter(isNew);
      this.tell({ conflicts: [...open, ...conflicts], theirs });
      this.tellOfOthers();
    }
    this.tell({ revision, savedAt });
    this.settle();
  }

  private tellOfOthers(): void {
    if (Date.now() - this.toldAt < MERGED_MS) return;
    this.toldAt = Date.now();
    toast("Somebody else is changing this workflow. Their changes are here.");
  }

  private adoptLive(document: EditorDocument, liveVersion: number): void {
    this.tell({ live: share(this.store.document, document), liveVersion });
  }

  private turnVisible(): void {
    if (window.document.hidden) return this.hide();
    const { missed } = this;
    this.missed = undefined;
    if (missed !== undefined) this.hear(missed);
  }

  /** Send what is not saved yet while the page may be on its way out; what does not arrive is kept. */
  private hide(): void {
    if (!this.isBusy && !this.isClean) void this.inTurn(() => this.write(true));
  }

  /** Let go of an editor that is not shown. */
  drop(): void {
    this.keeper.leave();
  }

  private async leave(): Promise<void> {
    await this.inTurn(() => this.write(true)).catch(() => undefined);
    clearTimeout(this.timer);
    this.drop();
  }

  private tell(changes: Partial<Saving>): void {
    const { reason, ...saving } = this.store.get().saving;
    const kept = reason === undefined || changes.status ? {} : { reason };
    const next: Saving = { ...saving, ...kept, ...changes };
    if (!same(Object.values(changes), Object.keys(changes).map((name) => saving[name as keyof typeof saving]))) {
      this.store.set({ saving: next });
    }
  }
}
