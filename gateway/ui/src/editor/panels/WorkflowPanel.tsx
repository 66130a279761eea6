import { useId, useState } from "react";
import { TextField } from "../../components/TextField";
import type { EditorDocument } from "../document/document";
import { useDocument, useStore } from "../document/store";
import { setMember } from "./members";

const RECORDED: [EditorDocument["recordValues"], string][] = [
  ["all", "Of every run"],
  ["failed", "Of failed runs only"],
  ["none", "Of no run"],
];
const MAX_NAME = 200;
const MAX_DESCRIPTION = 10_000;

/** Members of the workflow itself. */
export function WorkflowPanel() {
  const id = useId();
  const store = useStore();
  const { name, description, tags, recordValues, isTemplate } = useDocument();
  return (
    <div className="stack">
      <h2>Workflow</h2>
      <TextField
        label="Name"
        value={name}
        maxLength={MAX_NAME}
        fault={name === "" ? "A workflow needs a name." : undefined}
        onChange={(value: string) => setMember(store, "name", value)}
      />
      <div className="field">
        <label htmlFor={`${id}-description`}>Description</label>
        <textarea
          id={`${id}-description`}
          className="input"
          maxLength={MAX_DESCRIPTION}
          value={description}
          onChange={(event) => setMember(store, "description", event.target.value)}
        />
      </div>
      <Tags tags={tags} />
      <div className="field">
        <label htmlFor={`${id}-values`}>Record values</label>
        <select
          id={`${id}-values`}
          className="input"
          value={recordValues}
          aria-describedby={`${id}-hint`}
          onChange={(event) => setMember(store, "recordValues", event.target.value as EditorDocument["recordValues"])}
        >
          {RECORDED.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <p id={`${id}-hint`} className="hint">
          Inputs and outputs of nodes, kept with the run for its inspection and retry.
        </p>
      </div>
      <label className="labelled-switch">
        <input type="checkbox" role="switch" checked={isTemplate} onChange={(event) => setMember(store, "isTemplate", event.target.checked)} />
        <span>Template</span>
      </label>
      <p className="hint">Others on this installation may copy a template once it is published.</p>
    </div>
  );
}

function Tags({ tags }: { tags: string[] }) {
  const store = useStore();
  const joined = tags.join(", ");
  const [typed, setTyped] = useState(joined);
  // Separators that are being typed are kept as long as the tags are the same.
  const shown = split(typed).join(", ") === joined ? typed : joined;
  const change = (value: string): void => {
    setTyped(value);
    const next = split(value);
    if (next.join(", ") !== joined) setMember(store, "tags", next);
  };
  return <TextField label="Tags" hint="Between commas" value={shown} onChange={change} />;
}

function split(text: string): string[] {
  return [...new Set(text.split(",").map((each) => each.trim()).filter(Boolean))];
}
