import { type ReactNode, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { acceptOf, type MediaKind } from "./kinds";

interface Props {
  /** Id of the file input, which a label names. */
  id: string;
  kinds: readonly MediaKind[];
  isDisabled?: boolean;
  isInvalid?: boolean;
  describedBy?: string | undefined;
  /** Words on the button. */
  choose: string;
  isCompact?: boolean;
  onFile: (file: File | undefined) => void;
  /** Beside the button. */
  actions?: ReactNode;
  /** Above the button: the file that is chosen. */
  children?: ReactNode;
  /** Below the button. */
  below?: ReactNode;
}

/** A place that takes a file by drop, by paste and from a dialog. */
export function DropZone({ id, kinds, isDisabled, isInvalid, describedBy, choose, isCompact, onFile, actions, children, below }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const over = (to: boolean) => (event: { preventDefault: () => void }) => {
    event.preventDefault();
    setOver(to && !isDisabled);
  };
  return (
    <div
      className={isOver ? "drop over" : "drop"}
      onDragOver={over(true)}
      onDragLeave={over(false)}
      onDrop={(event) => {
        over(false)(event);
        if (!isDisabled) onFile(event.dataTransfer.files[0]);
      }}
      onPaste={(event) => {
        if (isDisabled || event.clipboardData.files.length === 0) return;
        event.preventDefault();
        onFile(event.clipboardData.files[0]);
      }}
    >
      {children}
      <div className="drop-row">
        <input
          ref={input}
          id={id}
          type="file"
          className="hidden-visually"
          // The button beside it has the focus.
          tabIndex={-1}
          accept={acceptOf(...kinds)}
          disabled={isDisabled}
          aria-describedby={describedBy}
          aria-invalid={isInvalid || undefined}
          onChange={(event) => {
            onFile(event.target.files?.[0]);
            // The same file may be chosen again.
            event.target.value = "";
          }}
        />
        {!isDisabled && (
          <Button isCompact={isCompact} aria-describedby={describedBy} onClick={() => input.current?.click()}>
            {choose}
          </Button>
        )}
        {actions}
      </div>
      {below}
    </div>
  );
}
