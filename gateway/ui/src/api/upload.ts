/** Uploads of files as assets, whose progress can be told. */

import { ApiError, UNREACHABLE } from "./client";
import type { Asset } from "./types";

export interface Upload {
  asset: Promise<Asset>;
  cancel: () => void;
}

/** Upload a file; `onProgress` hears of the part that is sent, from 0 to 1. The asset fails with an ApiError. */
export function upload(file: File, onProgress: (part: number) => void): Upload {
  const request = new XMLHttpRequest();
  const asset = new Promise<Asset>((resolve, reject) => {
    const body = new FormData();
    body.append("file", file);
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => lengthComputable && onProgress(loaded / total);
    request.onload = () => (request.status === 201 ? resolve(JSON.parse(request.responseText) as Asset) : reject(errorOf(request)));
    request.onerror = () => reject(new ApiError(0, { error: UNREACHABLE }));
    request.onabort = () => reject(new ApiError(0, { error: "The upload was cancelled.", code: CANCELLED }));
    request.open("POST", "/api/assets");
    request.send(body);
  });
  return { asset, cancel: () => request.abort() };
}

export const CANCELLED = "CANCELLED";

function errorOf(request: XMLHttpRequest): ApiError {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(request.responseText) as Record<string, unknown>;
  } catch {
    // A proxy may answer in its own words.
  }
  return new ApiError(request.status, body, request.getResponseHeader("retry-after"));
}
