import { useEditor } from "../document/store";

const WORDS = {
  saved: "Saved",
  saving: "Saving…",
  offline: "Offline: changes are kept here",
  conflict: "Somebody else has saved",
  refused: "Not saved",
};

/** A word on where the changes are. */
export function SaveState() {
  const { status, reason, revision } = useEditor((state) => state.saving);
  return (
    <span className={`save-state ${status}`} role="status" title={reason ?? (revision ? `Revision ${revision}` : undefined)}>
      {WORDS[status]}
    </span>
  );
}
