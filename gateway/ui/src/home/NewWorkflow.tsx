import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { invalidate } from "../api/resource";
import type { WorkflowDocument, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { type Surroundings, withUsableModels } from "../needs/needs";
import { useSurroundings } from "../needs/surroundings";
import { navigate } from "../shell/router";
import { useMe } from "../shell/session";
import { duplicate } from "./duplicate";
import { LIST } from "./Home";
import { TemplateCard } from "./TemplateCard";

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

const EMPTY = { nodes: [], edges: [] };
/** Stands for an empty canvas among the slugs of templates, which have no dots. */
const FROM_NOTHING = ".empty";

interface Props {
  templates: WorkflowRow[];
  onClose: () => void;
}

export function NewWorkflow({ templates, onClose }: Props) {
  const [name, setName] = useState("");
  const [template, setTemplate] = useState("");
  const [fault, setFault] = useState("");
  const [isSaving, setSaving] = useState(false);
  const around = useSurroundings();
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const chosen = templates.find((row) => row.slug === template);
    const called = name.trim() || chosen?.name;
    if (!called) return setFault("Give the workflow a name.");
    setSaving(true);
    try {
      const made = chosen
        ? await copy(chosen.slug, called, around)
        : await call<WorkflowDocument>("POST", LIST, {
            name: called,
            ...(template === FROM_NOTHING ? { ...EMPTY, draft: true } : EXAMPLE),
          });
      invalidate(LIST);
      navigate(`/app/editor/${made.slug}`);
    } catch (error) {
      setFault((error as Error).message);
      setSaving(false);
    }
  };
  const sorted = [...templates].sort((one, other) => one.name.localeCompare(other.name));
  return (
    <Dialog title="New workflow" onClose={onClose} isWide>
      <form className="stack" onSubmit={create} noValidate>
        <TextField
          label="Name"
          hint="The address of the endpoint is made from it, once and for good. Without one, the template's is taken."
          placeholder={templates.find((row) => row.slug === template)?.name}
          value={name}
          onChange={setName}
          fault={fault}
          maxLength={200}
          autoFocus
        />
        <fieldset className="stack start-from">
          <legend className="label">Start from</legend>
          <div className="templates">
            <TemplateCard
              slug=""
              name="A small example"
              description="A form with one field, and a text with its value."
              tags={[]}
              coverUrl={null}
              graph={EXAMPLE}
              around={around}
              isChosen={template === ""}
              onChoose={setTemplate}
            />
            <TemplateCard
              slug={FROM_NOTHING}
              name="An empty canvas"
              description="Nothing yet: add your nodes and wire them."
              tags={[]}
              coverUrl={null}
              graph={EMPTY}
              around={around}
              isChosen={template === FROM_NOTHING}
              onChoose={setTemplate}
            />
            {sorted.map(({ slug, name: called, description, tags, coverUrl }) => (
              <TemplateCard
                key={slug}
                {...{ slug, description, tags, coverUrl, around }}
                name={called}
                isChosen={template === slug}
                onChoose={setTemplate}
              />
            ))}
          </div>
        </fieldset>
        <Advice />
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

/** Save a copy of a template, with models that are set up in the places of those that are not. */
async function copy(slug: string, name: string, around: Surroundings | undefined): Promise<WorkflowDocument> {
  const made = await duplicate(slug, name);
  const nodes = around ? withUsableModels(made, around) : made.nodes;
  if (nodes.every((node, index) => node === made.nodes[index])) return made;
  return call("PUT", `${LIST}/${made.slug}`, { nodes, draft: made.version === null });
}

/** How to get models; shown where a template cannot run. */
function Advice() {
  const isAdmin = useMe().data?.user.role === "admin";
  return (
    <p className="hint advice">
      {isAdmin ? (
        <>
          Grey templates need models that are not set up here. Set the keys of their providers before the start, or
          start with <code>headrace up --demo-provider</code> for made-up answers, or with <code>--local</code> for a
          model on this machine.
        </>
      ) : (
        "Grey templates need models that are not set up here; the operator can change that."
      )}
    </p>
  );
}
