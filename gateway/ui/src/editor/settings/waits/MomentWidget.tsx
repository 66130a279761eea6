import { useState } from "react";
import { duration } from "../../../components/Ago";
import { HERE, ZONES } from "../../../triggers/schedule/zones";
import { attributes } from "../widgets/simple";
import { inWords, type WidgetProps } from "../widgets/widget";
import { type Local, momentAt, momentIn, offsetAt, offsetInWords, parseMoment } from "./moments";

/** A moment: a time on the clocks of a zone. */
export function MomentWidget(props: WidgetProps) {
  const { value, id, describedBy, onChange } = props;
  const [lastZone, setZone] = useState(HERE);
  const moment = typeof value === "string" ? parseMoment(value) : null;
  if (value !== undefined && !moment) return <MomentText {...props} />;
  const zone = moment ? zoneOf(value as string, moment, lastZone) : lastZone;
  const change = (at: string, to: string | null): void => {
    if (!at) return onChange(undefined);
    onChange(to === null ? momentAt(moment?.offset ?? 0, at) : momentIn(to, at));
  };
  return (
    <div className="moment">
      <input
        {...attributes({ ...props, describedBy: [describedBy, `${id}-words`].filter(Boolean).join(" ") })}
        type="datetime-local"
        className="input"
        value={moment?.at ?? ""}
        onChange={(event) => change(event.target.value, zone)}
      />
      <select
        className="input"
        aria-label="Time zone"
        value={zone ?? ""}
        onChange={(event) => {
          setZone(event.target.value);
          if (moment) change(moment.at, event.target.value);
        }}
      >
        {zone === null && <option value="">{offsetInWords(moment?.offset ?? 0)}</option>}
        <option value={HERE}>{HERE} (here)</option>
        {ZONES.filter((each) => each !== HERE).map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      <p className="hint" id={`${id}-words`} role="status">
        {moment ? momentInWords(value as string, zone === HERE) : "At most 30 days after the node begins."}
      </p>
    </div>
  );
}

/** A text that is no moment, as it stands, so that it can be mended. */
function MomentText(props: WidgetProps) {
  const { value, onChange } = props;
  return (
    <input
      {...attributes(props)}
      className="input"
      placeholder="2026-12-24T18:00:00+01:00"
      value={inWords(value)}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}

/** A zone whose clocks have the offset of the moment then: the last chosen, this browser's, UTC; else none. */
function zoneOf(text: string, { offset }: Local, lastZone: string): string | null {
  const ms = Date.parse(text);
  return [lastZone, HERE, "UTC"].find((zone) => offsetAt(zone, ms) === offset) ?? null;
}

const here = new Intl.DateTimeFormat("en", { weekday: "long", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function momentInWords(text: string, isHere: boolean): string {
  const ms = Date.parse(text) - Date.now();
  if (ms <= 0) return "This moment has passed: the node goes on at once.";
  return `${here.format(Date.parse(text))}${isHere ? "" : " here"}, in ${duration(ms)}.`;
}
