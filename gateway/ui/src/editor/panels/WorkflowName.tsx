import { type KeyboardEvent, useState } from "react";
import { useDocument, useStore } from "../document/store";
import { setMember } from "./members";

/** The name of the workflow, which can be edited in its place. */
export function WorkflowName() {
  const store = useStore();
  const { name } = useDocument();
  const [draft, setDraft] = useState<string | null>(null);
  const finish = (): void => {
    if (draft?.trim()) setMember(store, "name", draft.trim());
    setDraft(null);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") setDraft(null);
  };
  if (draft === null) {
    return (
      <h1>
        <button type="button" title="Rename" onClick={() => setDraft(name)}>
          {name}
        </button>
      </h1>
    );
  }
  return (
    <>
      <h1 className="hidden-visually">{name}</h1>
      <input
        className="input name-input"
        aria-label="Name of the workflow"
        autoFocus
        maxLength={200}
        value={draft}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={press}
      />
    </>
  );
}
