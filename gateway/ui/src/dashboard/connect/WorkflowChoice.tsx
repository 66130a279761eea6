import { useState } from "react";
import type { WorkflowRow } from "../../api/types";
import { TextField } from "../../components/TextField";

/** Rows from which on the list has a field that narrows it. */
const MANY = 8;

interface Props {
  workflows: WorkflowRow[];
  isAll: boolean;
  chosen: string[];
  onAll: (isAll: boolean) => void;
  onChoose: (chosen: string[]) => void;
}

/** The workflows that a client may run: some, or all with those that are made later. */
export function WorkflowChoice({ workflows, isAll, chosen, onAll, onChoose }: Props) {
  return (
    <fieldset className="workflow-choice">
      <legend className="label">It may run</legend>
      <label className="choice">
        <input type="radio" name="which" checked={!isAll} onChange={() => onAll(false)} />
        <span>Chosen workflows</span>
      </label>
      <label className="choice">
        <input type="radio" name="which" checked={isAll} onChange={() => onAll(true)} />
        <span>
          All workflows <span className="hint">those that you make later too</span>
        </span>
      </label>
      {!isAll && <Chooser workflows={workflows} chosen={chosen} onChoose={onChoose} />}
    </fieldset>
  );
}

function Chooser({ workflows, chosen, onChoose }: Pick<Props, "workflows" | "chosen" | "onChoose">) {
  const [words, setWords] = useState("");
  const sought = words.trim().toLowerCase();
  const shown = workflows.filter((row) => `${row.name} ${row.slug}`.toLowerCase().includes(sought));
  const toggle = (slug: string): void =>
    onChoose(chosen.includes(slug) ? chosen.filter((each) => each !== slug) : [...chosen, slug]);
  if (workflows.length === 0) return <p className="muted small">You have no workflow yet.</p>;
  return (
    <div className="chooser">
      {workflows.length > MANY && <TextField label="Find a workflow" type="search" value={words} onChange={setWords} />}
      <ul aria-label="Workflows">
        {shown.map((row) => (
          <li key={row.slug}>
            <label className="choice">
              <input type="checkbox" checked={chosen.includes(row.slug)} onChange={() => toggle(row.slug)} />
              <span>
                {row.name} <span className="hint">{row.description || row.slug}</span>
              </span>
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="muted small">No workflow has this name.</p>}
      <p className="hint" role="status">
        {chosen.length} of {workflows.length} chosen
      </p>
    </div>
  );
}
