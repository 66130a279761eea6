import type { Field } from "../../../api/types";
import { useCatalogue } from "../../catalogue/catalogue";
import { type Edit, setSetting } from "../../document/edits";
import { useReasons } from "../problems";
import { WiredNote } from "../WiredNote";
import type { WidgetProps } from "../widgets/widget";
import { FieldValue } from "./FieldValue";
import { otherFields, useModelOf } from "./modelSettings";

/** Values by field name: those of the model that the node has no setting for, or of the form's own fields. */
export function ValuesWidget(props: WidgetProps) {
  const { node } = props;
  const type = useCatalogue()?.get(node.type);
  const model = useModelOf(node);
  if (!type) return null;
  const isForm = "fields" in (type.settings.properties ?? {});
  const fields = isForm ? ownFields(node.data.fields) : model ? otherFields(model, type) : [];
  if (fields.length === 0) {
    return <p className="hint">{isForm ? "There are no fields yet." : model ? `${model.name} has no further fields.` : "Choose a model first."}</p>;
  }
  return (
    <div className="stack values">
      {fields.map((field) => (
        <Value key={`${field.type} ${field.name}`} {...props} field={field} isTypedBeside={!isForm} />
      ))}
    </div>
  );
}

/** The fields of a form that are complete enough to have a control. */
export function ownFields(raw: unknown): Field[] {
  const listed = Array.isArray(raw) ? (raw as Partial<Field>[]) : [];
  return listed
    .filter((each): each is Field => Boolean(each && typeof each === "object" && each.name && each.type))
    .map((each) => ({ ...each, label: each.label || each.name }));
}

/** A value, which older documents have beside `values`. */
function Value({ node, value, onChange, field, isTypedBeside }: WidgetProps & { field: Field; isTypedBeside: boolean }) {
  const reasons = useReasons(node.id, field.name);
  const values = (value && typeof value === "object" ? value : {}) as Record<string, unknown>;
  const beside = isTypedBeside ? node.data[field.name] : undefined;
  const set = (to: unknown): void => {
    const { [field.name]: _, ...others } = values;
    const next = to === undefined ? others : { ...values, [field.name]: to };
    const clear: Edit | undefined = beside === undefined ? undefined : setSetting(node.id, field.name, undefined);
    onChange(Object.keys(next).length > 0 ? next : undefined, field.name, clear);
  };
  return (
    <div data-field={field.name} className="stack tight">
      <FieldValue field={{ ...field, required: false }} value={values[field.name] ?? beside} fault={reasons[0]} onChange={set} />
      <WiredNote node={node} name={field.name} />
    </div>
  );
}
