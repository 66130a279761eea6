import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { WORKFLOWS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { Workflow, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";
import { type Surroundings, withUsableModels } from "../requirements/requirements";
import { useSurroundings } from "../requirements/surroundings";
import { navigate } from "../shell/router";
import { useMe } from "../shell/session";
import { callsInWords, duplicate } from "./duplicate";
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
  /** Slug of the template that is chosen at first. */
  from: string;
  onClose: () => void;
}

export function NewWorkflow({ templates, from, onClose }: Props) {
  const [name, setName] = useState("");
  const [start, setStart] = useState(templates.some((row) => row.slug === from) ? from : "");
  const [fault, setFault] = useState("");
  const [isSaving, setSaving] = useState(false);
  const around = useSurroundings();
  const template = templates.find((row) => row.slug === start);
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const called = name.trim() || template?.name;
    if (!called) return setFault("Give the workflow a name.");
    setSaving(true);
    try {
      const made = template ? await copyTemplate(template.slug, called, around) : await createNew(called, start === FROM_NOTHING);
      invalidate(WORKFLOWS);
      navigate(`/app/editor/${made.slug}`);
    } catch (error) {
      setFault((error as Error).message);
      setSaving(false);
    }
  };
  return (
    <Dialog title="New workflow" onClose={onClose} isWide>
      <form className="stack" onSubmit={create} noValidate>
        <TextField
          label="Name"
          hint="The address of the endpoint is made from it, once and for good. Without one, the template's is taken."
          placeholder={template?.name}
          value={name}
          onChange={setName}
          fault={fault}
          maxLength={200}
          autoFocus
        />
        <StartFrom templates={templates} from={from} around={around} chosen={start} onChoose={setStart} />
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

interface StartFromProps {
  templates: WorkflowRow[];
  from: string;
  around: Surroundings | undefined;
  chosen: string;
  onChoose: (start: string) => void;
}

/** The example, the empty canvas and the templates by name, as radio buttons; the one chosen at first comes first. */
function StartFrom({ templates, from, around, chosen, onChoose }: StartFromProps) {
  const without = { tags: [], coverUrl: null };
  const cards = [
    { slug: "", name: "A small example", description: "A form with one field, and a text with its value.", graph: EXAMPLE, ...without },
    { slug: FROM_NOTHING, name: "An empty canvas", description: "Nothing yet: add your nodes and wire them.", graph: EMPTY, ...without },
    ...[...templates].sort((one, other) => one.name.localeCompare(other.name)),
  ].sort((one, other) => Number(isFirst(other, from)) - Number(isFirst(one, from)));
  return (
    <fieldset className="stack start-from">
      <legend className="label">Start from</legend>
      <div className="templates">
        {cards.map((card) => (
          <TemplateCard key={card.slug} {...card} around={around} isChosen={card.slug === chosen} onChoose={onChoose} />
        ))}
      </div>
    </fieldset>
  );
}

function isFirst({ slug }: { slug: string }, from: string): boolean {
  return slug !== "" && slug === from;
}

/** Save the small example, or a draft without nodes. */
function createNew(name: string, isEmpty: boolean): Promise<Workflow> {
  return call("POST", WORKFLOWS, { name, ...(isEmpty ? { ...EMPTY, draft: true } : EXAMPLE) });
}

/** Save a copy of a template, with models that are set up in the places of those that are not. */
async function copyTemplate(slug: string, name: string, around: Surroundings | undefined): Promise<Workflow> {
  const made = await duplicate(slug, name);
  const calls = callsInWords(made);
  if (calls) toast(calls);
  const nodes = around ? withUsableModels(made, around) : made.nodes;
  if (nodes.every((node, index) => node === made.nodes[index])) return made;
  return call("PUT", `${WORKFLOWS}/${made.slug}`, { nodes, draft: made.version === null });
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
