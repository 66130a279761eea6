import { useId, useState } from "react";
import { Button } from "../../components/Button";
import { TextField } from "../../components/TextField";
import { useDocument, useStore } from "../document/store";
import { filled, samplesOf, withoutSample, withSample } from "./form";
import { useRunning, useRuns } from "./runs";

/** Inputs that are kept with the workflow under names. */
export function Samples() {
  const id = useId();
  const store = useStore();
  const runs = useRuns();
  const document = useDocument();
  const form = useRunning((running) => running.form);
  const [chosen, setChosen] = useState("");
  const [name, setName] = useState<string | null>(null);
  const samples = samplesOf(document);
  const choose = (to: string): void => {
    setChosen(to);
    const sample = samples.find((each) => each.name === to);
    if (sample) runs.fill(sample.values);
  };
  const keepSample = (): void => {
    const called = name?.trim();
    if (!called) return;
    store.edit(withSample({ name: called, values: filled(document, form) }));
    setChosen(called);
    setName(null);
  };
  if (name !== null) {
    return (
      <div className="samples">
        <TextField label="Name of the sample" value={name} onChange={setName} />
        <Button isCompact onClick={keepSample} disabled={!name.trim()}>
          Keep
        </Button>
        <Button isCompact look="quiet" onClick={() => setName(null)}>
          Cancel
        </Button>
      </div>
    );
  }
  return (
    <div className="samples">
      {samples.length > 0 && (
        <>
          <label htmlFor={id} className="hidden-visually">
            Sample
          </label>
          <select id={id} className="input" value={chosen} onChange={(event) => choose(event.target.value)}>
            <option value="">Choose a sample</option>
            {samples.map((each) => (
              <option key={each.name}>{each.name}</option>
            ))}
          </select>
        </>
      )}
      <Button isCompact look="quiet" onClick={() => setName(chosen)}>
        Keep as sample
      </Button>
      {chosen && (
        <Button
          isCompact
          look="quiet"
          onClick={() => {
            store.edit(withoutSample(chosen));
            setChosen("");
          }}
        >
          Delete sample
        </Button>
      )}
    </div>
  );
}
