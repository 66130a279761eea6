import { useId } from "react";
import { type DailyParts, EVERY_DAY } from "./choices";

/** Names of the days of the week, by their number in an expression. */
const DAYS: [number, string, string][] = [
  [1, "Mon", "Monday"],
  [2, "Tue", "Tuesday"],
  [3, "Wed", "Wednesday"],
  [4, "Thu", "Thursday"],
  [5, "Fri", "Friday"],
  [6, "Sat", "Saturday"],
  [0, "Sun", "Sunday"],
];
const DAYS_OF_MONTH = 31;

interface Props {
  parts: DailyParts;
  onChange: (parts: DailyParts) => void;
}

/** The time of the day, and the days of the week or the day of the month. */
export function DailyFields({ parts, onChange }: Props) {
  const id = useId();
  return (
    <div className="daily-row">
      <div className="field">
        <label htmlFor={id}>At</label>
        <input
          id={id}
          type="time"
          className="input"
          value={parts.time}
          onChange={({ target }) => target.value && onChange({ ...parts, time: target.value })}
        />
      </div>
      {parts.day ? <DayOfMonth parts={parts} onChange={onChange} /> : <DaysOfWeek parts={parts} onChange={onChange} />}
    </div>
  );
}

function DayOfMonth({ parts, onChange }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>On day</label>
      <select id={id} className="input" value={parts.day} onChange={(event) => onChange({ ...parts, day: event.target.value })}>
        {Array.from({ length: DAYS_OF_MONTH }, (_, place) => (
          <option key={place}>{place + 1}</option>
        ))}
      </select>
      {Number(parts.day) > 28 && <p className="hint">Months that lack this day are left out.</p>}
    </div>
  );
}

function DaysOfWeek({ parts, onChange }: Props) {
  const { weekdays } = parts;
  const toggle = (day: number): void => {
    const chosen = EVERY_DAY.filter((each) => (each === day) !== weekdays.includes(each));
    // An expression has at least one day.
    if (chosen.length > 0) onChange({ ...parts, weekdays: chosen });
  };
  return (
    <fieldset className="field">
      <legend className="label">On</legend>
      <div className="pills weekdays">
        {DAYS.map(([day, short, name]) => (
          <label key={day} className="pill">
            <input type="checkbox" className="hidden-visually" aria-label={name} checked={weekdays.includes(day)} onChange={() => toggle(day)} />
            <span aria-hidden="true">{short}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
