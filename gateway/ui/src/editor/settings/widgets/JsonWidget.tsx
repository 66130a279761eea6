import { useRef, useState } from "react";
import { Button } from "../../../components/Button";
import { CodeArea } from "../template/CodeArea";
import { schemaFrom } from "./schemaFrom";
import { attributes, useTyped } from "./simple";
import type { WidgetProps } from "./widget";

function show(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** The value that a text means; a text that is not JSON stays a text, so that nothing is lost. */
function jsonOf(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function faultOf(text: string): string | null {
  if (text.trim() === "") return null;
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}

/** Any value, as JSON. */
export function JsonWidget(props: WidgetProps) {
  const { value, onChange, label, name } = props;
  const [text, setText] = useTyped(value, show, jsonOf);
  const fault = faultOf(text);
  const set = (to: string): void => {
    setText(to);
    onChange(jsonOf(to));
  };
  return (
    <>
      <CodeArea
        {...attributes(props)}
        aria-invalid={props.isInvalid || fault !== null || undefined}
        value={text}
        onChange={set}
        isCode
        rows={4}
        placeholder={name === "jsonSchema" ? '{"type": "object", …}' : "{}"}
      />
      {fault && <p className="fault">{fault}</p>}
      {name === "jsonSchema" && <FromExample label={label} onMade={set} />}
    </>
  );
}

/** Makes a JSON Schema from an example of an answer. */
function FromExample({ label, onMade }: { label: string; onMade: (text: string) => void }) {
  const [example, setExample] = useState("");
  const details = useRef<HTMLDetailsElement>(null);
  const fault = faultOf(example);
  const make = (): void => {
    onMade(JSON.stringify(schemaFrom(JSON.parse(example)), null, 2));
    if (details.current) details.current.open = false;
  };
  return (
    <details ref={details} className="fold">
      <summary>From an example</summary>
      <div className="stack tight">
        <CodeArea
          aria-label="Example of an answer"
          value={example}
          onChange={setExample}
          isCode
          rows={4}
          placeholder='{"title": "A warm mug", "tags": ["tea"]}'
        />
        {fault && <p className="fault">{fault}</p>}
        <Button isCompact disabled={!example.trim() || fault !== null} onClick={make}>
          Use as {label}
        </Button>
      </div>
    </details>
  );
}
