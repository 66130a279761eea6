import { useId } from "react";
import { cronInWords } from "../cron";
import { atTime, CHOICES, isChoice, timeOf } from "./choices";

interface Props {
  cron: string;
  fault?: string;
  onChange: (cron: string) => void;
}

/** A cron expression: ready choices, the time of the day, the text, and its meaning in words. */
export function CronField({ cron, fault, onChange }: Props) {
  const id = useId();
  const time = timeOf(cron);
  const choose = (choice: string): void => onChange(time && timeOf(choice) ? atTime(choice, time) : choice);
  return (
    <>
      <fieldset className="field" role="radiogroup">
        <legend className="label">Ready choices</legend>
        <div className="pills">
          {CHOICES.map(([name, choice]) => (
            <label key={choice} className="pill">
              <input type="radio" className="hidden-visually" name={id} checked={isChoice(cron, choice)} onChange={() => choose(choice)} />
              <span>{name}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <div className="cron-row">
        {time && <TimeField time={time} onChange={(to) => to && onChange(atTime(cron, to))} />}
        <CronText cron={cron} fault={fault} onChange={onChange} />
      </div>
    </>
  );
}

function TimeField({ time, onChange }: { time: string; onChange: (time: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>At</label>
      <input id={id} type="time" className="input" value={time} onChange={(event) => onChange(event.target.value)} />
    </div>
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
