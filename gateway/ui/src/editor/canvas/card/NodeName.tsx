import { type KeyboardEvent, memo, useState } from "react";
import { nodeIds, rename } from "../../document/edits";
import { useEditor, useStore } from "../../document/store";
import { announce } from "../announce";

const LONGEST = 100;

/** The name of a node, which is its id; a double click or F2 edits it. */
export const NodeName = memo(function NodeName({ id }: { id: string }) {
  const store = useStore();
  const isEdited = useEditor((state) => state.edited === id);
  if (isEdited) return <NameField id={id} />;
  return (
    <span
      className="node-name"
      title={`${id} (double click to rename)`}
      onDoubleClick={(event) => {
        event.stopPropagation();
        store.set({ edited: id });
      }}
    >
      {id}
    </span>
  );
});

function NameField({ id }: { id: string }) {
  const store = useStore();
  const [name, setName] = useState(id);
  const fault = faultOf(name, id, nodeIds(store.document));
  const leave = (): void => {
    const to = name.trim();
    if (store.get().edited === id) store.set({ edited: null });
    if (fault || to === id) return;
    store.edit(rename(id, to));
    store.select([to]);
    announce(`${id} is now ${to}`);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    event.stopPropagation();
    if (event.key === "Escape") store.set({ edited: null });
    if (event.key === "Enter" && !fault) event.currentTarget.blur();
  };
  return (
    <>
      <input
        className="node-name-field nodrag"
        aria-label="Name of the node"
        aria-invalid={fault ? true : undefined}
        title={fault ?? undefined}
        maxLength={LONGEST}
        value={name}
        ref={(field) => {
          if (field && document.activeElement !== field) {
            field.focus();
            field.select();
          }
        }}
        onChange={(event) => setName(event.target.value)}
        onBlur={leave}
        onKeyDown={onKeyDown}
      />
      {fault && <span className="node-name-fault" role="alert">{fault}</span>}
    </>
  );
}

function faultOf(name: string, id: string, taken: ReadonlySet<string>): string | null {
  const to = name.trim();
  if (!to) return "A node needs a name.";
  if (to !== id && taken.has(to)) return `Another node is called ‘${to}’.`;
  return null;
}
