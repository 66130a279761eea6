/** Opening of a workflow, with the unsaved changes of a former tab. */

import { difference } from "../document/difference";
import { apply, collisions, type Conflict, renameChanges } from "../document/merge";
import { WorkflowStore } from "../document/store";
import { lastWrite, Saver } from "./saver";
import { readState } from "./server";
import { initialSaving } from "./state";
import { takeOver, UnsavedChanges } from "./unsaved";

export async function openWorkflow(slug: string): Promise<{ store: WorkflowStore; saver: Saver }> {
  await lastWrite(slug);
  const state = await readState(slug);
  const { document, revision, savedAt, liveVersion, live } = state;
  const unsaved = new UnsavedChanges(slug);
  const former = await takeOver(unsaved);
  let recovered = document;
  const conflicts: Conflict[] = [];
  for (const step of former.flatMap((each) => each.steps)) {
    const { document: next, clashes } = apply(recovered, renameChanges(step, collisions(recovered, step)));
    conflicts.push(...clashes.map(({ change, document: theirs, ...place }) => ({ ...place, mine: change, theirs })));
    recovered = next;
  }
  const saving = initialSaving(revision, savedAt, liveVersion, live);
  const store = new WorkflowStore(slug, document, {
    ...saving,
    conflicts,
    theirs: document,
    status: conflicts.length > 0 ? "conflict" : "saved",
  });
  if (difference(document, recovered).length > 0) {
    store.edit(() => recovered);
    store.set({ saving: { ...store.get().saving, recoveredAt: former.at(-1)?.at ?? null } });
  }
  return { store, saver: new Saver(store, document, unsaved) };
}
