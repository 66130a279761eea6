import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { invalidate } from "../api/resource";
import type { WorkflowDocument, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { navigate } from "../shell/router";
import { duplicate } from "./duplicate";
import { LIST } from "./Home";

const EXAMPLE = {
  nodes: [
    {
      id: "form",
      type: "requestInput",
      position: { x: 0, y: 0 },
      data: { fields: [{ name: "name", label: "Name", type: "text", required: true, default: "Ada" }] },
    },
    { id: "greeting", type: "textBox", position: { x: 320, y: 0 }, data: { text: "Hello {{ name }}!" } },
    { id: "result", type: "responseOutput", position: { x: 640, y: 0 }, data: {} },
  ],
  edges: [
    { id: "form-greeting", source: "form", target: "greeting", sourceHandle: "name", targetHandle: "name" },
    { id: "greeting-result", source: "greeting", target: "result", sourceHandle: "text-out", targetHandle: "result-in" },
  ],
};

interface Props {
  templates: WorkflowRow[];
  onClose: () => void;
}

export function NewWorkflow({ templates, onClose }: Props) {
  const [name, setName] = useState("");
  const [template, setTemplate] = useState("");
  const [fault, setFault] = useState("");
  const [isSaving, setSaving] = useState(false);
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!name.trim()) return setFault("Give the workflow a name.");
    setSaving(true);
    try {
      const made = template
        ? await duplicate(template, name)
        : await call<WorkflowDocument>("POST", LIST, { name, ...EXAMPLE });
      invalidate(LIST);
      navigate(`/app/editor/${made.slug}`);
    } catch (error) {
      setFault((error as Error).message);
      setSaving(false);
    }
  };
  return (
    <Dialog title="New workflow" onClose={onClose}>
      <form className="stack" onSubmit={create} noValidate>
        <TextField
          label="Name"
          hint="The address of the endpoint is made from it, once and for good."
          value={name}
          onChange={setName}
          fault={fault}
          maxLength={200}
          autoFocus
        />
        <fieldset className="stack choices">
          <legend className="label">Start from</legend>
          <Choice value="" chosen={template} onChoose={setTemplate} name="A small example">
            A form with one field, and a text with its value.
          </Choice>
          {templates.map((row) => (
            <Choice key={row.slug} value={row.slug} chosen={template} onChoose={setTemplate} name={row.name}>
              {row.description}
            </Choice>
          ))}
        </fieldset>
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" disabled={isSaving}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  chosen: string;
  onChoose: (value: string) => void;
  children: string;
}

function Choice({ name, value, chosen, onChoose, children }: ChoiceProps) {
  return (
    <label className="choice">
      <input type="radio" name="template" checked={value === chosen} onChange={() => onChoose(value)} />
      <span>
        <strong>{name}</strong>
        <span className="hint">{children}</span>
      </span>
    </label>
  );
}
