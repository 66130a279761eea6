import { useId } from "react";
import { RowReasons } from "../problems";
import type { WidgetProps } from "../widgets/widget";
import { SecretPicker } from "./SecretPicker";

interface Auth {
  type: "bearer" | "basic" | "header";
  secret: string;
  name?: string;
}

const WAYS: Record<Auth["type"], string> = {
  bearer: "Bearer token",
  basic: "User and password",
  header: "A header of its own",
};

/** The secret that each call carries, and how. */
export function AuthWidget({ node, name, value, onChange }: WidgetProps) {
  const id = useId();
  const auth = value && typeof value === "object" ? (value as Auth) : null;
  const choose = (type: string): void => {
    if (type === "") return onChange(undefined);
    const made: Auth = { type: type as Auth["type"], secret: auth?.secret ?? "" };
    onChange(type === "header" ? { ...made, name: auth?.name ?? "X-API-Key" } : made);
  };
  return (
    <div className="stack tight">
      <select className="input" aria-label="Kind of authorization" data-field={`${name}.type`} value={auth?.type ?? ""} onChange={(event) => choose(event.target.value)}>
        <option value="">None</option>
        {Object.entries(WAYS).map(([type, words]) => (
          <option key={type} value={type}>
            {words}
          </option>
        ))}
      </select>
      {auth?.type === "header" && (
        <div className="field" data-field={`${name}.name`}>
          <label htmlFor={id}>Header</label>
          <input id={id} className="input" value={auth.name ?? ""} onChange={(event) => onChange({ ...auth, name: event.target.value }, "name")} />
          <RowReasons nodeId={node.id} path={`${name}.name`} />
        </div>
      )}
      {auth && (
        <div data-field={`${name}.secret`} className="stack tight">
          <SecretPicker
            label="Secret"
            value={auth.secret ?? ""}
            hint={auth.type === "basic" ? "Its value is user:password." : undefined}
            onChange={(secret) => onChange({ ...auth, secret })}
          />
          <RowReasons nodeId={node.id} path={`${name}.secret`} />
        </div>
      )}
    </div>
  );
}
