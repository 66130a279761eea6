import { useEditor } from "../../document/store";
import type { WidgetProps } from "../widgets/widget";

/** A choice among the inputs of the part or the workflow that runs for each item. */
export function FieldWidget({ node, id, describedBy, isInvalid, value, onChange }: WidgetProps) {
  const names = useEditor(({ check }) => check.sockets[node.id]?.inputs)?.map((socket) => socket.name) ?? [];
  const chosen = typeof value === "string" ? value : "";
  const [first] = names;
  return (
    <select
      id={id}
      className="input"
      aria-describedby={describedBy}
      aria-invalid={isInvalid || undefined}
      value={chosen}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      <option value="">{first ? `${first} (the first one)` : "The first one"}</option>
      {chosen && !names.includes(chosen) && <option value={chosen}>{chosen} (not there)</option>}
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}
