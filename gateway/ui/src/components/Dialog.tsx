import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Button } from "./Button";

interface Props {
  title: string;
  onClose: () => void;
  isWide?: boolean;
  children: ReactNode;
}

/** A modal dialog; Escape and a click beside it close it. */
export function Dialog({ title, onClose, isWide = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // In time for the dialog to give the focus back: once it is out of the document, it cannot.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={isWide ? "wide" : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && isBeside(event, dialog.current) && onClose()}
    >
      <div className="stack">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface EndProps {
  /** The refusal of the call, if there was one. */
  fault?: string | null;
  isBusy: boolean;
  isDisabled?: boolean;
  busyLabel: string;
  onClose: () => void;
  onGo: () => void;
  /** The label of the button that makes the call. */
  children: ReactNode;
}

/** The end of a dialog that makes one call: its refusal, and the buttons that leave it or make the call. */
export function DialogEnd({ fault, isBusy, isDisabled = false, busyLabel, onClose, onGo, children }: EndProps) {
  return (
    <>
      {fault && (
        <p className="note bad" role="alert">
          {fault}
        </p>
      )}
      <div className="actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" disabled={isBusy || isDisabled} onClick={onGo}>
          {isBusy ? busyLabel : children}
        </Button>
      </div>
    </>
  );
}

function isBeside(event: { clientX: number; clientY: number }, box: HTMLElement): boolean {
  const { left, right, top, bottom } = box.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x < left || x > right || y < top || y > bottom;
}
