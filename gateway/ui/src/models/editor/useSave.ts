import { useState } from "react";
import { ApiError, call, get } from "../../api/client";
import { MODELS } from "../../api/paths";
import { invalidate, replaceAnswer } from "../../api/resource";
import type { ManifestProblem, ManifestSource, SavedModel } from "../../api/types";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";
import type { Manifest } from "./useManifest";

/** A saved manifest, or the beginning of a new one, which has no origin. */
export type EditedSource = Pick<ManifestSource, "version" | "manifest"> & { origin: ManifestSource["origin"] | null };

export interface Save {
  isSaving: boolean;
  fault: string;
  /** The manifest that somebody else saved meanwhile. */
  conflict: ManifestSource | null;
  save: () => Promise<void>;
  overwrite: () => void;
  takeTheirs: () => void;
  close: () => void;
}

/** Saves the manifest as the next version of its model, or as a new model. */
export function useSave(name: string | null, source: EditedSource, manifest: Manifest): Save {
  const [isSaving, setSaving] = useState(false);
  const [fault, setFault] = useState("");
  const [conflict, setConflict] = useState<ManifestSource | null>(null);
  const write = async (version: number | null): Promise<void> => {
    if (isSaving) return;
    setSaving(true);
    setFault("");
    try {
      showSaved(name, manifest.text, await send(name, version, manifest.text));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "VERSION_CONFLICT" && name !== null) setConflict(await get<ManifestSource>(`${MODELS}/${name}/manifest`));
      else if (Array.isArray(error.details.problems)) manifest.show(error.details.problems as ManifestProblem[]);
      else setFault(error.message);
    }
    setSaving(false);
  };
  const close = (): void => setConflict(null);
  return {
    isSaving,
    fault,
    conflict,
    save: () => write(source.version),
    overwrite: () => {
      close();
      void write(conflict?.version ?? null);
    },
    takeTheirs: () => {
      if (conflict && name !== null) {
        replaceAnswer<ManifestSource>(`${MODELS}/${name}/manifest`, () => conflict);
        manifest.reset(conflict.manifest);
      }
      close();
    },
    close,
  };
}

/** A model that is not saved yet is created, also where one on disk has its name. */
function send(name: string | null, version: number | null, text: string): Promise<SavedModel> {
  if (name === null || version === null) return call<SavedModel>("POST", MODELS, { manifest: text });
  return call<SavedModel>("PUT", `${MODELS}/${name}`, { manifest: text }, { "if-match": String(version) });
}

function showSaved(name: string | null, text: string, saved: SavedModel): void {
  const { internalName, version } = saved;
  const path = `${MODELS}/${internalName}/manifest`;
  replaceAnswer<ManifestSource>(path, (before) => ({ ...before, origin: "saved", version, manifest: text }));
  invalidate(MODELS);
  toast(`Saved version ${version} of ${saved.name}`);
  if (name === null) navigate(`/app/models/${internalName}?tab=manifest`);
}
