import type { EditorDocument } from "../document/document";
import type { EditorStore } from "../document/store";

/** Set a member of the workflow. Typing into it is one step of undo. */
export function setMember<Name extends keyof EditorDocument>(store: EditorStore, name: Name, value: EditorDocument[Name]): void {
  store.edit((document) => (document[name] === value ? document : { ...document, [name]: value }), `member ${name}`);
}
