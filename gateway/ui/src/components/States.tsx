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

interface OlderProps {
  error: ApiError | undefined;
  more: (() => Promise<void>) | undefined;
  /** The class that places the button. */
  className?: string;
}

/** The end of a list that is read in pages: the fault of the last page, and the way to the next one. */
export function OlderRows({ error, more, className = "row" }: OlderProps) {
  return (
    <>
      {error && (
        <p className="fault" role="alert">
          {error.message}
        </p>
      )}
      {more && (
        <div className={className}>
          <Button onClick={() => void more()}>Show older ones</Button>
        </div>
      )}
    </>
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
