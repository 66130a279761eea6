import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { KEYS } from "../api/paths";
import { invalidate, useResource } from "../api/resource";
import type { CreatedApiKey, Me, Model, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { CodeBlock } from "../components/CodeBlock";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/TextField";
import { CUSTOM, GENERAL, PRESETS, reasonAgainst } from "./capabilities";
import { ExpiryField, momentOf, NEVER } from "./ExpiryField";

interface Props {
  me: Me;
  onClose: () => void;
}

export function CreateKey({ me, onClose }: Props) {
  const [made, setMade] = useState<CreatedApiKey | null>(null);
  return made ? <Made apiKey={made} onClose={onClose} /> : <Form me={me} onClose={onClose} onMade={setMade} />;
}

function Form({ me, onClose, onMade }: Props & { onMade: (key: CreatedApiKey) => void }) {
  const [name, setName] = useState("");
  const [preset, setPreset] = useState("Workflow Deploy");
  const [chosen, setChosen] = useState<string[]>([]);
  const [expiry, setExpiry] = useState(NEVER);
  const [fault, setFault] = useState("");
  const [refusal, setRefusal] = useState("");
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setFault(name.trim() ? "" : "Give the key a name, such as the program that uses it.");
    setRefusal(preset === CUSTOM && !chosen.length ? "Choose at least one capability." : "");
    if (!name.trim() || (preset === CUSTOM && !chosen.length)) return;
    const grant = preset === CUSTOM ? { capabilities: chosen } : { preset };
    try {
      onMade(await call<CreatedApiKey>("POST", KEYS, { name, expiresAt: momentOf(expiry), ...grant }));
      invalidate(KEYS);
    } catch (error) {
      setRefusal((error as Error).message);
    }
  };
  return (
    <Dialog title="Create key" onClose={onClose}>
      <form className="stack" onSubmit={create} noValidate>
        <TextField label="Name" value={name} onChange={setName} fault={fault} maxLength={100} autoFocus />
        <fieldset className="presets">
          <legend className="label">It may</legend>
          {[...Object.keys(PRESETS), CUSTOM].map((each) => (
            <Preset key={each} name={each} me={me} isChosen={each === preset} onChoose={() => setPreset(each)} />
          ))}
        </fieldset>
        {preset === CUSTOM && <Picker me={me} chosen={chosen} onChange={setChosen} />}
        <ExpiryField value={expiry} onChange={setExpiry} />
        {refusal && (
          <p className="note bad" role="alert">
            {refusal}
          </p>
        )}
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface PresetProps {
  name: string;
  me: Me;
  isChosen: boolean;
  onChoose: () => void;
}

function Preset({ name, me, isChosen, onChoose }: PresetProps) {
  const capabilities = PRESETS[name] ?? [];
  const reason = capabilities.map((each) => reasonAgainst(each, me)).find(Boolean);
  return (
    <label className="preset">
      <input type="radio" name="preset" checked={isChosen} disabled={Boolean(reason)} onChange={onChoose} />
      <span>{name}</span>
      <span className="hint">{reason || capabilities.join(", ") || "choose each one"}</span>
    </label>
  );
}

interface PickerProps {
  me: Me;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

/** Capabilities by flow and by model; those above the ceiling are grey and say why. */
function Picker({ me, chosen, onChange }: PickerProps) {
  const flows = useResource<WorkflowRow[]>("/api/workflows").data ?? [];
  const models = useResource<Model[]>("/api/models").data ?? [];
  const groups: [string, [string, string][]][] = [
    ["Everything", Object.entries(GENERAL)],
    ["Run one workflow", flows.map((row) => [`workflow:${row.slug}:run`, row.name])],
    ["Run one model", models.map((model) => [`model:${model.internalName}:run`, model.name])],
  ];
  const toggle = (name: string): void =>
    onChange(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  return (
    <div className="capabilities-field">
      {groups.map(([title, entries]) => (
        <fieldset key={title} hidden={entries.length === 0}>
          <legend className="label small">{title}</legend>
          {entries.map(([name, label]) => {
            const reason = reasonAgainst(name, me);
            return (
              <label key={name} className="preset">
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  disabled={Boolean(reason)}
                  onChange={() => toggle(name)}
                />
                <span>{label}</span>
                <span className="hint">{reason || name}</span>
              </label>
            );
          })}
        </fieldset>
      ))}
    </div>
  );
}

/** The new key, this once, and how to begin with it. */
function Made({ apiKey, onClose }: { apiKey: CreatedApiKey; onClose: () => void }) {
  const flows = useResource<WorkflowRow[]>("/api/workflows").data ?? [];
  const specific = apiKey.capabilities.find((each) => /^workflow:[^:]+:run$/.test(each))?.split(":")[1];
  const slug = specific ?? flows.find((row) => row.slug === "greeting-letter")?.slug ?? flows[0]?.slug ?? "SLUG";
  const runs = apiKey.capabilities.some((each) => /^workflow:(\*|run|[^:]+:run)$/.test(each));
  const quick = runs
    ? `curl -s '${location.origin}/api/workflows/${slug}/run' \\
  -H "x-api-key: $HEADRACE_API_KEY" \\
  -H 'content-type: application/json' -d '{"inputs": {}}'`
    : `curl -s '${location.origin}/api/whoami' -H "x-api-key: $HEADRACE_API_KEY"`;
  return (
    <Dialog title={`"${apiKey.name}" is ready`} onClose={onClose}>
      <p>
        Copy the key now: <strong>it is not shown again.</strong>
      </p>
      <CodeBlock text={apiKey.key} isWrapped label="The new key" />
      <h3>Quick start</h3>
      <CodeBlock text={`export HEADRACE_API_KEY=${apiKey.key}`} isWrapped label="Set the key" />
      <CodeBlock text={quick} label="First call" />
      <div className="actions">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
