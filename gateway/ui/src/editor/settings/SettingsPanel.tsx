import { useCatalogue } from "../catalogue/catalogue";
import { useDocument, useEditor } from "../document/store";
import { EdgeSettings } from "./EdgeSettings";
import { NodeSettings } from "./NodeSettings";
import "./settings.css";

/** The settings of the selected node or edge. */
export function SettingsPanel() {
  const catalogue = useCatalogue();
  const selection = useEditor((state) => state.selection);
  const { nodes, edges } = useDocument();
  const chosen = nodes.filter((each) => selection.has(each.id));
  const wires = edges.filter((each) => selection.has(each.id));
  const [node, edge] = [chosen[0], wires[0]];
  if (chosen.length + wires.length > 1) return <Several nodes={chosen.length} wires={wires.length} />;
  if (edge) return <EdgeSettings key={edge.id} edge={edge} />;
  if (!node) return <p className="hint settings-empty">Choose a node to see its settings.</p>;
  const type = catalogue?.get(node.type);
  return (
    <div className="stack settings-panel">
      <header>
        <h2>{type?.label ?? node.type}</h2>
        <code>{node.id}</code>
      </header>
      {type && <NodeSettings key={node.id} node={node} type={type} />}
      {catalogue && !type && <p className="note warn">This server has no nodes of the type ‘{node.type}’.</p>}
    </div>
  );
}

function counted(count: number, noun: string): string | null {
  return count === 0 ? null : `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function Several({ nodes, wires }: { nodes: number; wires: number }) {
  const words = [counted(nodes, "node"), counted(wires, "wire")].filter(Boolean).join(" and ");
  return (
    <div className="stack settings-panel">
      <h2>{words} selected</h2>
      <p className="hint">Choose a single one to see its settings.</p>
    </div>
  );
}
