import type { GraphNode } from "../../../api/types";
import { Button } from "../../../components/Button";
import type { SettingSchema } from "../../catalogue/catalogue";
import { setSetting } from "../../document/edits";
import { useStore } from "../../document/store";
import { useReasons } from "../problems";
import { SettingField } from "../SettingField";
import { inWords } from "../widgets/widget";
import { FieldValue } from "./FieldValue";
import { useModelOf } from "./modelSettings";

interface Props {
  node: GraphNode;
  name: string;
  schema: SettingSchema;
  isRequired: boolean;
}

/** A setting that is a value of a field of the model: with the field's choices and limits, or none where it has no such field. */
export function ModelSetting(props: Props) {
  const { node, name, schema } = props;
  const store = useStore();
  const model = useModelOf(node);
  const reasons = useReasons(node.id, name);
  const value = node.data[name] ?? undefined;
  const title = schema.title ?? name;
  const field = model?.fields.find((each) => each.name === name);
  const set = (to: unknown): void => store.edit(setSetting(node.id, name, to), `${node.id}.${name}.`);
  if (!model || (field && schema["x-widget"] === "template")) return <SettingField {...props} />;
  if (field) {
    return (
      <div className="setting" data-field={name}>
        <FieldValue
          field={{ ...field, label: title, required: false, helperText: field.helperText ?? schema.description }}
          value={value}
          fault={reasons[0]}
          onChange={set}
        />
      </div>
    );
  }
  if (value === undefined || value === "") return null;
  return (
    <div className="note warn unused" data-field={name}>
      <p>
        {model.name} does not take <b>{title}</b>: “{inWords(value).slice(0, 80)}”
      </p>
      <Button isCompact aria-label={`Remove ${title}`} onClick={() => set(undefined)}>
        Remove
      </Button>
    </div>
  );
}
