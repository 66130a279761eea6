import { type FormEvent, useEffect, useRef } from "react";
import { credits } from "../../components/Ago";
import { Button } from "../../components/Button";
import { FormField } from "../../playground/FormField";
import { History } from "../../playground/History";
import "../../playground/playground.css";
import { useDocument, useEditor, useStore } from "../document/store";
import { useOneOf } from "../panels/Estimate";
import { MissingNote } from "../panels/MissingNote";
import { fieldsOf, filled } from "./form";
import { Outcome } from "./Outcome";
import { useRecent } from "./recent";
import { isLive, useRunning, useRuns } from "./runs";
import { Samples } from "./Samples";

/** The form of the draft, its run and the runs before. */
export function DraftRunPanel() {
  const store = useStore();
  const runs = useRuns();
  const run = useRunning((running) => running.run);
  const isComparable = useRecent().length > 1;
  return (
    <div className="stack run-panel">
      <h2>Run</h2>
      <MissingNote />
      <RunForm />
      <Outcome />
      <History slug={store.slug} shownId={run?.executionId} onShow={(row) => void runs.show(row)} />
      {isComparable && <Button onClick={() => runs.set({ isComparing: true })}>Compare two runs</Button>}
    </div>
  );
}

function RunForm() {
  const runs = useRuns();
  const document = useDocument();
  const { form, faults } = useRunning((running) => running);
  const live = useRunning(isLive);
  const fields = fieldsOf(document);
  const values = filled(document, form);
  const element = useFaultFocus(faults);
  const start = (event: FormEvent): void => {
    event.preventDefault();
    void runs.start();
  };
  return (
    <form className="stack form" onSubmit={start} noValidate aria-label="Inputs" ref={element}>
      {fields.length > 0 ? <Samples /> : <p className="hint">This workflow asks for nothing.</p>}
      {fields.map((field) => (
        <FormField
          key={field.name}
          field={field}
          value={values[field.name]}
          fault={faults[field.name]}
          onChange={(value) => runs.fill({ [field.name]: value })}
        />
      ))}
      <div className="run-row">
        <Estimate />
        <Button look="primary" type="submit" disabled={live}>
          {live ? "Running…" : "Run the draft"}
        </Button>
      </div>
    </form>
  );
}

/** Lead to the first field that is at fault. */
function useFaultFocus(faults: object) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (Object.keys(faults).length > 0) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [faults]);
  return form;
}

function Estimate() {
  const { total, byNode, isPerItem } = useEditor(({ check }) => check.estimate);
  const perItem = isPerItem.filter((id) => byNode[id]);
  const one = useOneOf(perItem);
  return (
    <span className="muted small figures">
      {total ? `Up to ${credits(total)}` : "Costs nothing"}
      {perItem.length > 0 && ` with one ${one}`}
    </span>
  );
}
