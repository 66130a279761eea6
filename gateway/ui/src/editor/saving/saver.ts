/** Saving of the draft: soon after each change, guarded by its revision, merged with the changes that others have saved. */

import { ApiError } from "../../api/client";
import { watchSaves } from "../../api/live";
import type { WorkflowRow } from "../../api/types";
import { toast } from "../../components/Toast";
import { type Change, difference, same, share } from "../document/difference";
import type { EditorDocument } from "../document/document";
import { type Conflict, hasArrived, isSettled, merge, takeTheirs } from "../document/merge";
import type { WorkflowStore } from "../document/store";
import { findRow, type Publication, publishDraft, putDraft, readDraft, readLive, removeDraft, restoreVersion } from "./server";
import { type Progress, type SavingFacts, whyNot } from "./state";
import type { UnsavedChanges } from "./unsaved";

const PAUSE_MS = 800;
const LONGEST_MS = 1_900;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const SHOWN_MS = 8_000;
const MERGED_MS = 30_000;

/** Last writes of editors that were left, by workflow. */
const leaving = new Map<string, Promise<void>>();

/** Wait for the last write of an editor of the workflow that was left on this page. */
export async function lastWrite(slug: string): Promise<void> {
  await leaving.get(slug);
}

export class Saver {
  private readonly store: WorkflowStore;
  private readonly unsaved: UnsavedChanges;
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
  private announcedAt = 0;
  /** The last save elsewhere that came while the page was hidden, as the row of the workflow; null: unknown saves. */
  private missed: WorkflowRow | null | undefined;

  constructor(store: WorkflowStore, saved: EditorDocument, unsaved: UnsavedChanges) {
    this.store = store;
    this.saved = saved;
    this.unsaved = unsaved;
    store.saveNow = () => this.flush(true);
    store.dropUnchanged = () => this.dropUnchanged();
    this.keepInBrowser();
  }

  /** Follow the document and its copies elsewhere, until the returned function is called. */
  follow(): () => void {
    let seen = this.store.document;
    const unsubscribe = this.store.subscribe(() => {
      if (this.store.document === seen) return;
      seen = this.store.document;
      this.onChange();
    });
    const unwatch = watchSaves((row) => this.pullWhenShown(row));
    const listen = new AbortController();
    const { signal } = listen;
    addEventListener("online", () => this.onOnline(), { signal });
    addEventListener("offline", () => !this.isClean && this.show({ status: "offline" }), { signal });
    addEventListener("pagehide", () => this.saveBeforeHiding(), { signal });
    addEventListener("beforeunload", (event) => this.store.get().saving.isUnkept && event.preventDefault(), { signal });
    window.document.addEventListener("visibilitychange", () => this.onVisibilityChange(), { signal });
    if (!this.isClean) this.saveLater();
    return () => {
      unsubscribe();
      unwatch();
      listen.abort();
      clearTimeout(this.shownTimer);
      leaving.set(this.store.slug, this.saveAndRelease());
    };
  }

  /**
   * Save unsaved changes now. With `asDraft`, a workflow without a draft and without changes gets a draft.
   *
   * Throws an error with the reason why changes are not saved.
   */
  async flush(asDraft = false): Promise<void> {
    await this.inTurn(() => this.write(false, asDraft));
    const { saving } = this.store.get();
    if (!this.isClean || (asDraft && saving.revision === 0)) throw new Error(whyNot(saving));
  }

  /** Remove a draft that is as callers run it. Where the server cannot be reached, the draft stays. */
  private async dropUnchanged(): Promise<void> {
    await this.inTurn(async () => {
      if (this.isClean && this.isAsLive && this.store.get().saving.revision > 0) await this.removeDraft();
      this.saveRest();
    }).catch(() => undefined);
  }

  private async removeDraft(isLeaving = false): Promise<void> {
    await removeDraft(this.store.slug, this.store.get().saving.revision, isLeaving);
    this.update({ revision: 0, savedAt: null });
  }

  /** Publish the draft as shown, and return the number of the version. Throws an error with the reason of a refusal. */
  async publish(how: Publication): Promise<number> {
    await this.flush();
    return this.inTurn(async () => {
      this.update({ publishing: "publishing" });
      try {
        const { document, version } = await publishDraft(this.store.slug, this.store.get().saving.revision, how);
        if (!how.canary) this.adoptLive(document, version);
        this.saved = this.store.get().saving.live ?? this.saved;
        this.update({ revision: 0, savedAt: null, publishing: how.canary ? "idle" : "published" });
        clearTimeout(this.shownTimer);
        this.shownTimer = window.setTimeout(() => this.update({ publishing: "idle" }), SHOWN_MS);
        // The document of a canary differs from the live one: it is saved as a draft again, to go on from.
        this.saveRest();
        return version;
      } catch (error) {
        this.update({ publishing: "idle" });
        throw await this.explain(error);
      }
    });
  }

  /** Discard the draft; undo brings it back. */
  async discard(): Promise<void> {
    await this.inTurn(async () => {
      const { live, revision } = this.store.get().saving;
      if (!live) return;
      try {
        if (revision > 0) await this.removeDraft();
      } catch (error) {
        throw await this.explain(error);
      }
      this.saved = live;
      this.update({ conflicts: [], recoveredAt: null });
      this.store.edit(() => live);
      this.saveRest();
    });
  }

  /** Publish a former version anew; a draft stays as it is. */
  async restore(version: number): Promise<number> {
    return this.inTurn(async () => {
      const restored = await restoreVersion(this.store.slug, version);
      this.adoptLive(restored.document, restored.version);
      if (this.store.get().saving.revision === 0) this.mergeTheirs(restored.document, 0, null);
      return restored.version;
    });
  }

  /** Choose a side of a conflict. */
  choose(conflict: Conflict, side: "mine" | "theirs"): void {
    const { conflicts, theirs } = this.store.get().saving;
    const rest = conflicts.filter((each) => each !== conflict);
    this.update({ conflicts: rest });
    if (side === "theirs" && theirs) this.store.edit((document) => takeTheirs(document, theirs, conflict));
    this.saveRest();
  }

  /** Take back the changes of a former tab; undo brings them back. */
  dropRecovered(): void {
    this.update({ conflicts: [], recoveredAt: null });
    this.store.edit(() => this.saved);
    this.saveRest();
  }

  /** Whether the document is the one that callers run. */
  private get isAsLive(): boolean {
    const { live } = this.store.get().saving;
    return live !== null && difference(live, this.store.document).length === 0;
  }

  private get isClean(): boolean {
    return difference(this.saved, this.store.document).length === 0;
  }

  private onChange(): void {
    this.keepInBrowser();
    if (this.store.get().saving.publishing === "published") this.update({ publishing: "idle" });
    this.saveLater();
  }

  private keepInBrowser(): void {
    const { document } = this.store;
    const steps: Change[][] = this.sent
      ? [difference(this.saved, this.sent), difference(this.sent, document)]
      : [difference(this.saved, document)];
    this.update({ isUnkept: !this.unsaved.keep(steps) });
  }

  private saveLater(): void {
    const { status } = this.store.get().saving;
    if (status === "conflict") return;
    if (!navigator.onLine) return this.show({ status: "offline" });
    if (status === "offline" || status === "waiting") return;
    this.show({ status: "saving" });
    this.changedAt ||= Date.now();
    const left = Math.max(0, this.changedAt + LONGEST_MS - Date.now());
    this.schedule(Math.min(PAUSE_MS, left));
  }

  private schedule(pause: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.inTurn(() => this.write()), pause);
  }

  private onOnline(): void {
    this.failures = 0;
    if (this.isClean) this.show({ status: "saved" });
    else this.schedule(0);
    this.pullWhenShown(null);
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

  private async write(isLeaving = false, asDraft = false): Promise<void> {
    clearTimeout(this.timer);
    this.changedAt = 0;
    if (this.store.get().saving.conflicts.length > 0) return this.show({ status: "conflict" });
    const { revision } = this.store.get().saving;
    const isMissing = asDraft && revision === 0;
    if (this.isClean && !isMissing) return this.saveRest();
    if (!navigator.onLine) return this.show({ status: "offline" });
    const { document } = this.store;
    this.sent = document;
    this.show({ status: "saving" });
    try {
      // Changes that were taken back leave no draft.
      if (!asDraft && revision > 0 && this.isAsLive) await this.removeDraft(isLeaving);
      else this.update(await putDraft(this.store.slug, revision, document, isLeaving));
      this.saved = document;
      this.sent = null;
      this.failures = 0;
      this.saveRest();
    } catch (error) {
      await this.onFailedWrite(error as ApiError);
    }
  }

  /** Show where the changes are; changes that came meanwhile are saved later. */
  private saveRest(): void {
    this.keepInBrowser();
    const conflicts = this.store.get().saving.conflicts.filter((each) => !isSettled(this.store.document, each));
    this.update({ conflicts });
    if (conflicts.length > 0) return this.show({ status: "conflict" });
    this.show({ status: this.isClean ? "saved" : "saving" });
    if (!this.isClean) this.saveLater();
  }

  private async onFailedWrite(error: ApiError): Promise<void> {
    const { status } = error;
    if (status === 412) {
      this.failures = 0;
      return this.pull(null).catch((reason: ApiError) => this.onFailedWrite(reason));
    }
    this.sent = status === 0 ? this.sent : null;
    if (status !== 0 && status !== 429 && status < 500) return this.show({ status: "refused", reason: error.message });
    this.show(status === 0 ? { status: "offline" } : { status: "waiting", reason: error.message });
    const pause = (error.retryAfter ?? 0) * 1_000 || Math.min(RETRY_MS * 2 ** this.failures, LONGEST_RETRY_MS);
    this.failures += 1;
    this.schedule(pause);
  }

  /** Return the reason against publishing or discarding, as a sentence. A save in between is merged first. */
  private async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof ApiError) || error.status !== 412) return error;
    await this.pull(null);
    return new Error("Somebody else has saved in between. Their changes are in the document now: look again.");
  }

  /** Merge the changes that others have saved, now or when the page is shown again. */
  private pullWhenShown(row: WorkflowRow | null): void {
    if (row && row.slug !== this.store.slug) return;
    if (window.document.hidden) {
      this.missed = row;
      return;
    }
    void this.inTurn(() => this.pull(row)).catch(() => {
      // Once the connection is back, `onOnline` pulls again.
    });
  }

  /** Read the draft and the published document where they are newer than known, and merge them. */
  private async pull(event: WorkflowRow | null): Promise<void> {
    const { slug } = this.store;
    const { revision, liveVersion } = this.store.get().saving;
    // The row of an event may be old: only one that says nothing new stands for the server's.
    const isAsKnown = event?.hasDraft && revision > 0 && event.version === liveVersion;
    const row = isAsKnown ? event : await findRow(slug);
    if (!row) return this.show({ status: "refused", reason: "This workflow has been deleted." });
    if (row.version !== liveVersion) {
      const { document, version } = await readLive(slug);
      if (version !== null) this.adoptLive(document, version);
    }
    if (row.hasDraft) {
      const draft = await readDraft(slug, revision);
      if (draft) this.mergeTheirs(draft.document, draft.revision, draft.savedAt);
    } else if (revision > 0 || row.version !== liveVersion) {
      const { live } = this.store.get().saving;
      if (live) this.mergeTheirs(live, 0, null);
    }
  }

  /** Merge the document that the server has at a revision. */
  private mergeTheirs(document: EditorDocument, revision: number, savedAt: string | null): void {
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
      this.update({ conflicts: [...open, ...conflicts], theirs });
      this.announceOthers();
    }
    this.update({ revision, savedAt });
    this.saveRest();
  }

  private announceOthers(): void {
    if (Date.now() - this.announcedAt < MERGED_MS) return;
    this.announcedAt = Date.now();
    toast("Somebody else is changing this workflow. Their changes are here.");
  }

  private adoptLive(document: EditorDocument, liveVersion: number): void {
    this.update({ live: share(this.store.document, document), liveVersion });
  }

  private onVisibilityChange(): void {
    if (window.document.hidden) return this.saveBeforeHiding();
    const { missed } = this;
    this.missed = undefined;
    if (missed !== undefined) this.pullWhenShown(missed);
  }

  /** Send unsaved changes while the page may be closing; the browser keeps those that do not arrive. */
  private saveBeforeHiding(): void {
    if (!this.isBusy && !this.isClean) void this.inTurn(() => this.write(true));
  }

  /** Let other editors of the workflow take over the unsaved changes. */
  release(): void {
    this.unsaved.release();
  }

  private async saveAndRelease(): Promise<void> {
    await this.inTurn(() => this.write(true)).catch(() => undefined);
    clearTimeout(this.timer);
    this.release();
  }

  private show(progress: Progress): void {
    const { status, reason: _, ...facts } = { reason: undefined, ...this.store.get().saving };
    if (status !== progress.status || "reason" in progress) this.store.set({ saving: { ...facts, ...progress } });
  }

  private update(changes: Partial<SavingFacts>): void {
    const { saving } = this.store.get();
    const names = Object.keys(changes) as (keyof SavingFacts)[];
    if (names.some((name) => !same(changes[name], saving[name]))) this.store.set({ saving: { ...saving, ...changes } });
  }
}
