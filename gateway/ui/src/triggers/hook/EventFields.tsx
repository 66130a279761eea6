import { useId } from "react";
import type { Faults } from "../common/faults";
import { CelField } from "./CelField";
import type { SampleEvent } from "./sample";
import { SampleFields } from "./SampleFields";
import type { ReadyEvent } from "./services";

interface Props {
  events: readonly ReadyEvent[];
  when: string;
  sample: SampleEvent;
  faults: Faults;
  onEvent: (event: ReadyEvent) => void;
  onWhen: (when: string) => void;
  onSample: (sample: SampleEvent) => void;
}

/** The events that start a run: a ready condition or one's own, over a sample. */
export function EventFields({ events, when, sample, faults, onEvent, onWhen, onSample }: Props) {
  const id = useId();
  const chosen = events.findIndex((each) => each.when === when.trim());
  return (
    <section className="stack" aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>Events</h2>
      {events.length > 1 && (
        <div className="field">
          <label htmlFor={id}>Start a run when</label>
          <select
            id={id}
            className="input"
            value={chosen}
            onChange={(event) => {
              const found = events[Number(event.target.value)];
              if (found) onEvent(found);
            }}
          >
            {chosen === -1 && <option value={-1}>The condition below is true</option>}
            {events.map((each, place) => (
              <option key={each.label} value={place}>
                {each.label}
              </option>
            ))}
          </select>
        </div>
      )}
      <CelField
        label="Condition"
        hint="An expression in CEL over body, headers, query and method. Empty: every event starts a run."
        placeholder='body.type == "order.created"'
        wanted="condition"
        isOptional
        value={when}
        sample={sample}
        fault={faults.when}
        onChange={onWhen}
      />
      <SampleFields sample={sample} onChange={onSample} />
    </section>
  );
}
