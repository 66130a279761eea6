import { useId } from "react";
import type { GraphNode } from "../../api/types";
import { Button } from "../../components/Button";
import type { SettingSchema } from "../catalogue/catalogue";
import { type Edit, setSetting } from "../document/edits";
import { useStore } from "../document/store";
import { Reasons, useReasons } from "./problems";
import { inUnits } from "./waits/durations";
import { WIDGETS } from "./widgets/registry";
import { WiredNote } from "./WiredNote";

interface Props {
  node: GraphNode;
  name: string;
  schema: SettingSchema;
  isRequired: boolean;
}

/** One setting: its label, its widget, its help and its problems. */
export function SettingField({ node, name, schema, isRequired }: Props) {
  const id = useId();
  const store = useStore();
  const widget = WIDGETS[schema["x-widget"] ?? ""] ?? WIDGETS.json;
  const { Control, isGroup, isExplained } = widget as NonNullable<typeof widget>;
  const hint = isExplained ? undefined : schema.description;
  const told = useReasons(node.id, name, isGroup);
  const reasons = schema["x-widget"] === "duration" ? told.map(inUnits) : told;
  const value = node.data[name] ?? undefined;
  const label = schema.title ?? name;
  const describedBy = [hint && `${id}-hint`, reasons.length > 0 && `${id}-reasons`].filter(Boolean).join(" ");
  const change = (to: unknown, part = "", also?: Edit): void => {
    const set = setSetting(node.id, name, to);
    store.edit(also ? (document) => also(set(document)) : set, `${node.id}.${name}.${part}`);
  };
  const isReset = value !== undefined && !isRequired && schema.default !== undefined && schema.default !== "";
  return (
    <div
      className={schema["x-widget"] === "toggle" ? "field setting inline" : "field setting"}
      data-field={name}
      {...(isGroup ? { role: "group", "aria-labelledby": `${id}-label` } : {})}
    >
      <div className="row spread">
        {isGroup ? (
          <span className="label" id={`${id}-label`}>
            {label}
          </span>
        ) : (
          <label className="label" id={`${id}-label`} htmlFor={id}>
            {label}
          </label>
        )}
        {isReset && (
          <Button look="quiet" isCompact aria-describedby={`${id}-label`} onClick={() => change(undefined)}>
            Reset
          </Button>
        )}
      </div>
      <Control
        node={node}
        name={name}
        label={label}
        schema={schema}
        value={value}
        id={id}
        describedBy={describedBy || undefined}
        isInvalid={reasons.length > 0}
        onChange={change}
      />
      <WiredNote node={node} name={name} />
      <Reasons id={`${id}-reasons`} reasons={reasons} />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
