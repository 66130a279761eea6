import type { NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { Markdown } from "../../playground/Markdown";
import { setSetting } from "../document/edits";
import { useEditor, useStore } from "../document/store";
import type { FlowNode } from "./flow";

/** A note to people, in Markdown; it never runs. A double click or Enter edits it. */
export const NoteCard = memo(function NoteCard({ id, data: { node } }: NodeProps<FlowNode>) {
  const store = useStore();
  const isEdited = useEditor((state) => state.edited === id);
  const text = typeof node.data.text === "string" ? node.data.text : "";
  if (isEdited) return <NoteField id={id} text={text} />;
  return (
    <div
      className="canvas-note"
      onDoubleClick={(event) => {
        event.stopPropagation();
        store.set({ edited: id });
      }}
    >
      {text ? <Markdown text={text} /> : <p className="hint">Double click to write a note.</p>}
    </div>
  );
});

function NoteField({ id, text }: { id: string; text: string }) {
  const store = useStore();
  const [written, setWritten] = useState(text);
  const leave = (): void => {
    if (store.get().edited === id) store.set({ edited: null });
    store.edit(setSetting(id, "text", written));
  };
  return (
    <div className="canvas-note edited">
      <textarea
        className="nodrag nowheel"
        aria-label="Text of the note, in Markdown"
        value={written}
        ref={(field) => {
          if (field && document.activeElement !== field) {
            field.focus();
            field.setSelectionRange(field.value.length, field.value.length);
          }
        }}
        onChange={(event) => setWritten(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
    </div>
  );
}
