import { useId } from "react";
import { cronInWords } from "../cron";
import { CHOICES, choose, cronOf, isChoice, partsOf } from "./choices";
import { DailyFields } from "./DailyFields";

interface Props {
  cron: string;
  fault?: string;
  onChange: (cron: string) => void;
}

/** A cron expression: ready choices, controls for its parts, the text, and its meaning in words. */
export function CronField({ cron, fault, onChange }: Props) {
  const id = useId();
  const parts = partsOf(cron);
  return (
    <>
      <fieldset className="field" role="radiogroup">
        <legend className="label">Ready choices</legend>
        <div className="pills">
          {CHOICES.map((choice) => (
            <label key={choice.name} className="pill">
              <input
                type="radio"
                className="hidden-visually"
                name={id}
                checked={isChoice(cron, choice)}
                onChange={() => onChange(choose(choice, cron))}
              />
              <span>{choice.name}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {parts && <DailyFields parts={parts} onChange={(to) => onChange(cronOf(to))} />}
      <CronText cron={cron} fault={fault} onChange={onChange} />
    </>
  );
}

function CronText({ cron, fault, onChange }: Props) {
  const id = useId();
  const words = cronInWords(cron);
  return (
    <div className="field">
      <label htmlFor={id}>Cron expression</label>
      <input
        id={id}
        className="input mono"
        value={cron}
        aria-invalid={fault ? true : undefined}
        aria-describedby={`${id}-words ${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
        spellCheck={false}
        autoComplete="off"
      />
      <p id={`${id}-words`} className={fault ? "fault" : "cron-words"} role="status">
        {fault || (words && `${words}.`)}
      </p>
      <p id={`${id}-hint`} className="hint">
        Minute, hour, day of the month, month, day of the week. An example: <code>30 8 * * 1-5</code>.
      </p>
    </div>
  );
}
