import { attributes } from "../../widgets/simple";
import { inWords, type WidgetProps } from "../../widgets/widget";

/** The URL of an MCP server. */
export function ServerWidget(props: WidgetProps) {
  const { value, onChange } = props;
  return (
    <input
      {...attributes(props)}
      className="input"
      inputMode="url"
      placeholder="https://example.com/mcp"
      autoComplete="off"
      spellCheck={false}
      value={inWords(value)}
      onChange={(event) => onChange(event.target.value.trim() || undefined)}
    />
  );
}
