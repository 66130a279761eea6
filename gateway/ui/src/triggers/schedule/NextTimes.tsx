import { momentIn } from "../words";
import type { NextTimes as Times } from "./useNextTimes";
import { HERE } from "./zones";

/** The next times of a schedule, in its zone, and in that of the browser where it differs. */
export function NextTimes({ times: { at, faults }, zone }: { times: Times; zone: string }) {
  return (
    <div className="next-times" aria-live="polite">
      <h3>Next times</h3>
      {at.length > 0 && (
        <ol aria-label="Next times">
          {at.map((each) => (
            <li key={each}>
              <time dateTime={each}>{momentIn(each, zone)}</time>
              {zone !== HERE && <span className="muted small">{momentIn(each, HERE)} here</span>}
            </li>
          ))}
        </ol>
      )}
      {at.length === 0 && <p className="muted small">{faults[""] ?? "They are shown once the expression and the time zone are right."}</p>}
    </div>
  );
}
