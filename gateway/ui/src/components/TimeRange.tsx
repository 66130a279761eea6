import { setParameters } from "../shell/router";
import { Labelled } from "./Labelled";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Quick ranges, which end now, by their name in the address. */
export const RANGES: Record<string, [string, number]> = {
  "15m": ["Last 15 minutes", 15 * MINUTE_MS],
  "1h": ["Last hour", HOUR_MS],
  "6h": ["Last 6 hours", 6 * HOUR_MS],
  "24h": ["Last 24 hours", DAY_MS],
  "7d": ["Last 7 days", 7 * DAY_MS],
  "30d": ["Last 30 days", 30 * DAY_MS],
  "90d": ["Last 90 days", 90 * DAY_MS],
};

/** A time as the address has it: a quick range, or bounds. */
export interface Chosen {
  range: string;
  from: string;
  to: string;
}

interface Props {
  chosen: Chosen;
  /** Word for no range at all; without it, there is always one. */
  any?: string;
  /** Bounds that "From … to …" begins with, in milliseconds. */
  begin?: () => [number, number];
}

/** Chooses a quick range or two moments, and keeps them in the address. */
export function TimeRange({ chosen, any, begin = lastHour }: Props) {
  const isCustom = Boolean(chosen.from || chosen.to);
  const choose = (range: string): void => {
    if (range !== "custom") return setParameters({ range, from: "", to: "" });
    const [from, to] = begin();
    setParameters({ range: "", from: new Date(from).toISOString(), to: any ? "" : new Date(to).toISOString() });
  };
  return (
    <>
      <Labelled label="Time">
        {(id) => (
          <select
            id={id}
            className="input compact"
            value={isCustom ? "custom" : chosen.range in RANGES ? chosen.range : ""}
            onChange={(event) => choose(event.target.value)}
          >
            {any && <option value="">{any}</option>}
            {Object.entries(RANGES).map(([range, [name]]) => (
              <option key={range} value={range}>
                {name}
              </option>
            ))}
            <option value="custom">From … to …</option>
          </select>
        )}
      </Labelled>
      {isCustom && <Bound label="From" name="from" value={chosen.from} />}
      {isCustom && <Bound label="To" name="to" value={chosen.to} />}
    </>
  );
}

function lastHour(): [number, number] {
  return [Date.now() - HOUR_MS, Date.now()];
}

/** A time as the field of the browser has it: of its own zone, to the second. */
function local(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 19);
}

function Bound({ label, name, value }: { label: string; name: "from" | "to"; value: string }) {
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id}
          type="datetime-local"
          step={1}
          className="input compact"
          value={local(value)}
          onChange={({ target }) => setParameters({ [name]: target.value ? new Date(target.value).toISOString() : "" })}
        />
      )}
    </Labelled>
  );
}
