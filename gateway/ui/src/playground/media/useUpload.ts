/** The upload of one file at a control. */

import { useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import type { Asset } from "../../api/types";
import { CANCELLED, type Upload, upload } from "../../api/upload";

const names = new Map<string, string>();

/** Keep the name of an uploaded file as long as the page is open. */
export function noteFileName(assetId: string, name: string): void {
  names.set(assetId, name);
}

/** The name that a file had when this page uploaded it; the API keeps none. */
export function fileNameOf(assetId: string): string | undefined {
  return names.get(assetId);
}

export interface UploadState {
  /** The file under way, and the part that is sent, from 0 to 1. */
  file?: File;
  part: number;
  error?: ApiError;
}

export interface Uploader {
  state: UploadState;
  /** Upload a file in place of one that is under way. */
  start: (file: File | undefined) => void;
  /** Upload again the file that was refused for a time. */
  retry: () => void;
  cancel: () => void;
}

const IDLE: UploadState = { part: 0 };
const NOTHING = 0;
const UNAVAILABLE = 503;

/** Whether the same upload may succeed later. */
export function isTemporary({ status }: ApiError): boolean {
  return status === NOTHING || status === UNAVAILABLE;
}

export function useUpload(onMade: (asset: Asset) => void): Uploader {
  const [state, setState] = useState<UploadState>(IDLE);
  const running = useRef<Upload>(null);
  const last = useRef<File>(undefined);
  const start = (file: File | undefined): void => {
    if (!file) return;
    running.current?.cancel();
    last.current = file;
    const mine = upload(file, (part) => running.current === mine && setState({ file, part }));
    running.current = mine;
    setState({ file, part: 0 });
    void settle(mine, file);
  };
  const settle = async (mine: Upload, file: File): Promise<void> => {
    try {
      const asset = await mine.asset;
      if (running.current !== mine) return;
      noteFileName(asset.id, file.name);
      setState(IDLE);
      onMade(asset);
    } catch (error) {
      if (running.current !== mine) return;
      const known = error instanceof ApiError ? error : new ApiError(0, { error: String(error) });
      setState(known.code === CANCELLED ? IDLE : { part: 0, error: known });
    }
  };
  useEffect(() => () => running.current?.cancel(), []);
  return { state, start, retry: () => start(last.current), cancel: () => running.current?.cancel() };
}
