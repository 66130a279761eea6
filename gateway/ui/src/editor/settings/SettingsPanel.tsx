import { TextField } from "../../components/TextField";
import { useCatalogue } from "../catalogue/catalogue";
import { setSetting } from "../document/edits";
import { useDocument, useEditor, useStore } from "../document/store";

/** The settings of the selected node. */
export function SettingsPanel() {
  const store = useStore();
  const catalogue = useCatalogue();
  const selection = useEditor((state) => state.selection);
  const node = useDocument().nodes.find((each) => selection.size === 1 && selection.has(each.id));
  if (!node) return <p className="hint">Choose a node to see its settings.</p>;
  const type = catalogue?.get(node.type);
  return (
    <div className="stack">
      <h2>{type?.label ?? node.type}</h2>
      {Object.entries(type?.settings.properties ?? {}).map(([name, schema]) =>
        schema["x-widget"] === "template" || schema["x-widget"] === "text" ? (
          <TextField
            key={name}
            label={schema.title ?? name}
            value={String(node.data[name] ?? "")}
            onChange={(value: string) => store.edit(setSetting(node.id, name, value), `${node.id}.${name}`)}
          />
        ) : null,
      )}
    </div>
  );
}
