import { useEditor } from "../document/store";
import type { Saving } from "./state";

const WORDS: Record<Saving["status"], [string, string]> = {
  saved: ["Saved", ""],
  saving: ["Saving", ""],
  waiting: ["Waiting to save", ""],
  offline: ["Offline", "Changes are kept in this browser"],
  conflict: ["Conflict", "Somebody else changed the same"],
  refused: ["Not saved", ""],
};

/** Words on where the changes are. */
export function SaveState() {
  const saving = useEditor((state) => state.saving);
  const { status, revision, isUnkept } = saving;
  const [word, more] = WORDS[status];
  const isLost = isUnkept && status !== "saved";
  return (
    <span className="save-state">
      <span className={status} role="status" title={revision > 0 ? `Revision ${revision}` : undefined}>
        {word}
      </span>
      <span className="detail">
        {status === "saved" && revision > 0 && `revision ${revision}`}
        {isLost ? "This browser has no room to keep the changes: leave the page open" : ("reason" in saving ? saving.reason : more)}
      </span>
    </span>
  );
}
