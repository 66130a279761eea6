import { useId, useState } from "react";
import { CodeArea } from "../../../editor/settings/template/CodeArea";
import { NumberInput } from "../../../editor/settings/widgets/simple";
import type { Member } from "./memberTable";

interface Props {
  member: Member;
  value: unknown;
  faults: readonly string[];
  isFixed?: boolean;
  onChange: (value: unknown) => void;
}

interface ControlProps {
  id: string;
  describedBy: string | undefined;
  isInvalid: boolean;
  member: Member;
  value: unknown;
  isFixed: boolean;
  onChange: (value: unknown) => void;
}

/** Kinds of which two stand side by side. */
const HALVES = new Set(["choice", "number"]);

/** One member of the manifest: its label, its control, its help and its problems. */
export function MemberField({ member, value, faults, isFixed = false, onChange }: Props) {
  const id = useId();
  const described = [member.hint && `${id}-hint`, faults.length > 0 && `${id}-fault`].filter(Boolean).join(" ");
  const control = { id, describedBy: described || undefined, isInvalid: faults.length > 0, member, value, isFixed, onChange };
  const notes = (
    <>
      {member.hint && (
        <p className="hint" id={`${id}-hint`}>
          {member.hint}
        </p>
      )}
      <Faults id={`${id}-fault`} faults={faults} />
    </>
  );
  if (member.kind === "flag") {
    return (
      <div className="field">
        <div className="row spread">
          <label htmlFor={id} className="label">
            {member.label}
          </label>
          <Flag {...control} />
        </div>
        {notes}
      </div>
    );
  }
  return (
    <div className={HALVES.has(member.kind) ? "field half" : "field"}>
      <label htmlFor={id}>{member.label}</label>
      <Control {...control} />
      {notes}
    </div>
  );
}

/** Problems of a part of the form. */
export function Faults({ id, faults }: { id?: string; faults: readonly string[] }) {
  if (faults.length === 0) return null;
  return (
    <div id={id}>
      {faults.map((fault) => (
        <p key={fault} className="fault">
          {fault}
        </p>
      ))}
    </div>
  );
}

function Control(props: ControlProps) {
  const { id, describedBy, isInvalid, member, value, isFixed, onChange } = props;
  const common = { id, className: "input", "aria-describedby": describedBy, "aria-invalid": isInvalid || undefined };
  const shown = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  switch (member.kind) {
    case "number":
      return <NumberInput id={id} describedBy={describedBy} isInvalid={isInvalid} schema={{}} value={value} onChange={onChange} />;
    case "choice":
      return (
        <select {...common} value={shown} onChange={(event) => onChange(event.target.value || undefined)}>
          <option value="">Not set</option>
          {[...new Set([...(member.options ?? []), ...(shown ? [shown] : [])])].map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      );
    case "lines":
    case "paths":
      return <Lines {...props} />;
    case "json":
      return <Json {...props} />;
    case "area":
      return <textarea {...common} rows={3} value={shown} onChange={(event) => onChange(event.target.value || undefined)} />;
    default:
      return (
        <input
          {...common}
          className={member.kind === "code" ? "input mono" : "input"}
          readOnly={isFixed}
          autoComplete="off"
          spellCheck={member.kind === "text"}
          value={shown}
          onChange={(event) => onChange(event.target.value || undefined)}
        />
      );
  }
}

function Flag({ id, describedBy, member, value, onChange }: ControlProps) {
  const isOn = typeof value === "boolean" ? value : (member.default ?? false);
  return (
    <input
      type="checkbox"
      role="switch"
      className="switch"
      id={id}
      checked={isOn}
      aria-describedby={describedBy}
      onChange={(event) => onChange(event.target.checked === member.default ? undefined : event.target.checked)}
    />
  );
}

/** A list of texts, one on each line; of paths, a single one is no list. */
function Lines({ id, describedBy, isInvalid, member, value, onChange }: ControlProps) {
  const listed = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
  const [typed, setTyped] = useState(listed.join("\n"));
  const linesOf = (text: string): string[] => text.split("\n").map((each) => each.trim()).filter(Boolean);
  const text = linesOf(typed).join("\n") === listed.join("\n") ? typed : listed.join("\n");
  return (
    <textarea
      id={id}
      className="input mono lines"
      rows={Math.max(member.kind === "paths" ? 1 : 2, text.split("\n").length)}
      spellCheck={false}
      value={text}
      aria-describedby={describedBy}
      aria-invalid={isInvalid || undefined}
      onChange={(event) => {
        setTyped(event.target.value);
        const next = linesOf(event.target.value);
        onChange(next.length === 0 ? undefined : member.kind === "paths" && next.length === 1 ? next[0] : next);
      }}
    />
  );
}

/** A value as JSON. Invalid JSON stays in the field, and the former value counts. */
function Json({ id, describedBy, isInvalid, value, onChange }: ControlProps) {
  const given = value === undefined ? "" : JSON.stringify(value, null, 2);
  const [typed, setTyped] = useState(given);
  const parsed = parse(typed);
  const isCurrent = parsed === null || JSON.stringify(parsed.value) === JSON.stringify(value);
  const text = isCurrent ? typed : given;
  return (
    <>
      <CodeArea
        id={id}
        isCode
        rows={2}
        value={text}
        aria-describedby={describedBy}
        aria-invalid={isInvalid || parsed === null || undefined}
        onChange={(to) => {
          setTyped(to);
          const next = parse(to);
          if (next) onChange(next.value);
        }}
      />
      {parsed === null && isCurrent && <p className="fault">This is not JSON yet; the former value counts.</p>}
    </>
  );
}

/** Parse JSON; an empty text has the value undefined. Returns null for invalid JSON, and for JSON with a null, which TOML lacks. */
function parse(text: string): { value: unknown } | null {
  if (!text.trim()) return { value: undefined };
  try {
    let hasNull = false;
    const value: unknown = JSON.parse(text, (_, each: unknown) => {
      hasNull ||= each === null;
      return each;
    });
    return hasNull ? null : { value };
  } catch {
    return null;
  }
}
