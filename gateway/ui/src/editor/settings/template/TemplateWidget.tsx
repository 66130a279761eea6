import { HeadersWidget } from "../lists/HeadersWidget";
import type { WidgetProps } from "../widgets/widget";
import { inWords } from "../widgets/widget";
import { TemplateEditor } from "./TemplateEditor";

/** Templates that are short in most workflows. */
const ONE_LINE = new Set(["url", "title"]);
/** Formats of a body whose fields are templates of their own. */
const OF_FIELDS = new Set(["form", "multipart"]);

export function TemplateWidget(props: WidgetProps) {
  const { node, name, value, onChange, id, describedBy, isInvalid } = props;
  const isObject = typeof value === "object" && value !== null;
  if (isObject || (name === "body" && value === undefined && OF_FIELDS.has(String(node.data.bodyType)))) {
    return <HeadersWidget {...props} />;
  }
  return (
    <TemplateEditor
      node={node}
      id={id}
      describedBy={describedBy}
      isInvalid={isInvalid}
      text={inWords(value)}
      rows={ONE_LINE.has(name) ? 1 : name === "system" || name === "body" ? 3 : 5}
      placeholder={name === "url" ? "https://…" : undefined}
      takesSecrets={name === "url"}
      onChange={(text, also) => onChange(text || undefined, "", also)}
    />
  );
}
