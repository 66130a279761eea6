import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { Button } from "./Button";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="state" role="alert">
      <h2>This could not be loaded</h2>
      <p>{error.message}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** Place of something that is on its way. */
export function Loading({ height = "12rem" }: { height?: string }) {
  return (
    <div role="status">
      <span className="hidden-visually">Loading</span>
      <div className="bone" style={{ height }} />
    </div>
  );
}
