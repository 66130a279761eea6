import { useId, useState } from "react";
import { Fold } from "../../editor/settings/Fold";
import "../../editor/settings/expression/expression.css";
import { bodyOf, bodyText, type SampleEvent } from "./sample";

interface Props {
  sample: SampleEvent;
  onChange: (sample: SampleEvent) => void;
  isOpenAtFirst?: boolean;
}

/** The body and the headers of a sample event, which can be typed and pasted. */
export function SampleFields({ sample, onChange, isOpenAtFirst }: Props) {
  return (
    <Fold summary="Sample event" isOpenAtFirst={isOpenAtFirst}>
      <SampleText sample={sample} onChange={onChange} />
    </Fold>
  );
}

export function SampleText({ sample, onChange }: Props) {
  const id = useId();
  const [body, setBody] = useKept(bodyText(sample.body), bodyOf, bodyText);
  const [headers, setHeaders] = useKept(headerLines(sample.headers), headersOf, headerLines);
  return (
    <div className="stack tight">
      <div className="field">
        <label htmlFor={`${id}-body`}>Body</label>
        <textarea
          id={`${id}-body`}
          className="input mono"
          rows={9}
          spellCheck={false}
          aria-describedby={`${id}-hint`}
          value={body}
          onChange={(event) => {
            setBody(event.target.value);
            onChange({ ...sample, body: bodyOf(event.target.value) });
          }}
        />
        <p className="hint" id={`${id}-hint`}>
          {typeof sample.body === "string" ? "This is not JSON: the body is a text." : "JSON: expressions see its members."}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-headers`}>Headers</label>
        <textarea
          id={`${id}-headers`}
          className="input mono"
          rows={3}
          spellCheck={false}
          value={headers}
          onChange={(event) => {
            setHeaders(event.target.value);
            onChange({ ...sample, headers: headersOf(event.target.value) });
          }}
        />
      </div>
    </div>
  );
}

/** A text as it is typed, until the value that it stands for changes by other means. */
function useKept<T>(current: string, read: (text: string) => T, write: (value: T) => string): [string, (text: string) => void] {
  const [typed, setTyped] = useState(current);
  return [write(read(typed)) === current ? typed : current, setTyped];
}

function headerLines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

/** Read lines of names and values; the names become lower case, and lines without a colon are left out. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = value;
  }
  return headers;
}
