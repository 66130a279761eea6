import { useReactFlow } from "@xyflow/react";
import { type DragEvent, useId, useState } from "react";
import { addOfType, DRAGGED_TYPE } from "../canvas/adding";
import { byCategory, type NodeType, useCatalogue } from "../catalogue/catalogue";
import { useStore } from "../document/store";
import "./sidebar.css";

/** The node types by category: drag one to the canvas, or press it to add it in the middle. */
export function Sidebar() {
  const id = useId();
  const [sought, setSought] = useState("");
  const catalogue = useCatalogue();
  const found = catalogue ? byCategory(catalogue) : [];
  const isFound = (type: NodeType): boolean =>
    `${type.label} ${type.category} ${type.description}`.toLowerCase().includes(sought.trim().toLowerCase());
  return (
    <aside className="sidebar" aria-label="Nodes">
      <label htmlFor={id} className="hidden-visually">
        Search nodes
      </label>
      <input id={id} type="search" className="input" placeholder="Search nodes" value={sought} onChange={(event) => setSought(event.target.value)} />
      {found.map(([category, types]) => {
        const shown = types.filter(isFound);
        return shown.length === 0 ? null : (
          <section key={category}>
            <h2>{category}</h2>
            {shown.map((type) => (
              <Item key={type.type} type={type} />
            ))}
          </section>
        );
      })}
    </aside>
  );
}

function Item({ type }: { type: NodeType }) {
  const store = useStore();
  const flow = useReactFlow();
  const add = (): void => {
    const canvas = document.querySelector(".canvas")?.getBoundingClientRect();
    if (!canvas) return;
    const { left, top, width, height } = canvas;
    addOfType(store, type, flow.screenToFlowPosition({ x: left + width / 2 - 120, y: top + height / 3 }));
  };
  const drag = (event: DragEvent): void => {
    event.dataTransfer.setData(DRAGGED_TYPE, type.type);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <button
      type="button"
      className="sidebar-item"
      draggable
      onDragStart={drag}
      onClick={add}
      disabled={!type.available}
      title={type.unavailableReason ?? type.description}
    >
      {type.label}
    </button>
  );
}
