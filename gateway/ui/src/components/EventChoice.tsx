import { ENDS, EVENTS } from "./events";

interface Props {
  known?: string[];
  chosen: string[];
  fault?: string;
  onChange: (events: string[]) => void;
}

/** Checkboxes for the events that a webhook is told of. */
export function EventChoice({ known = EVENTS, chosen, fault, onChange }: Props) {
  const toggle = (event: string): void => onChange(known.filter((each) => (each === event) !== chosen.includes(each)));
  return (
    <fieldset className="event-choice">
      <legend className="label">Events</legend>
      {known.map((event) => (
        <label key={event}>
          <input type="checkbox" checked={chosen.includes(event)} onChange={() => toggle(event)} />
          <code>{event}</code>
          {ENDS.includes(event) || <span className="hint">{HINTS[event]}</span>}
        </label>
      ))}
      {fault && <p className="fault">{fault}</p>}
    </fieldset>
  );
}

const HINTS: Record<string, string> = {
  "execution.started": "when a run is accepted",
  "execution.waiting": "when a person is asked, or a node waits for a time",
  "node.finished": "once for each node",
  "canary.rolled_back": "when a canary of any workflow is taken back",
};
