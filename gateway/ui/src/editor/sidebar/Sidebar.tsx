import { useReactFlow } from "@xyflow/react";
import { type DragEvent, useId, useMemo, useState } from "react";
import { Button } from "../../components/Button";
import { addBeside, DRAGGED_TYPE } from "../canvas/adding";
import { Icon } from "../canvas/card/Icon";
import { type Choice, choices, matching } from "../canvas/choices";
import { byCategory, useCatalogue } from "../catalogue/catalogue";
import { useModels } from "../catalogue/models";
import type { FlowEdge, FlowNode } from "../canvas/flow";
import { useStore } from "../document/store";
import "./sidebar.css";

/** The node types by category: drag one to the canvas, or press it to add it beside the chosen node. */
export function Sidebar() {
  const id = useId();
  const [sought, setSought] = useState("");
  const [isOpen, setOpen] = useState(false);
  const catalogue = useCatalogue();
  const models = useModels();
  const all = useMemo(() => (catalogue ? choices(catalogue, models) : []), [catalogue, models]);
  const shown = matching(all, sought);
  const categories = catalogue ? byCategory(catalogue).map(([category]) => category) : [];
  return (
    <>
      <Button
        look="primary"
        className="sidebar-toggle"
        aria-expanded={isOpen}
        aria-controls={`${id}-items`}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? "Close" : "Add a node"}
      </Button>
      <aside id={`${id}-items`} className={isOpen ? "sidebar open" : "sidebar"} aria-label="Nodes">
        <label htmlFor={id} className="hidden-visually">
          Search nodes
        </label>
        <input
          id={id}
          type="search"
          className="input"
          placeholder="Search nodes"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        {categories.map((category) => (
          <Category
            key={category}
            category={category}
            items={shown.filter((choice) => choice.type.category === category)}
            onAdded={() => setOpen(false)}
          />
        ))}
        {catalogue && shown.length === 0 && <p className="hint">No node or model is called so.</p>}
      </aside>
    </>
  );
}

interface CategoryProps {
  category: string;
  items: Choice[];
  onAdded: () => void;
}

function Category({ category, items, onAdded }: CategoryProps) {
  if (items.length === 0) return null;
  return (
    <section>
      <h2>{category}</h2>
      {items.map((choice) => (
        <Item key={choice.key} choice={choice} onAdded={onAdded} />
      ))}
    </section>
  );
}

function Item({ choice, onAdded }: { choice: Choice; onAdded: () => void }) {
  const id = useId();
  const store = useStore();
  const catalogue = useCatalogue();
  const flow = useReactFlow<FlowNode, FlowEdge>();
  const { type, label } = choice;
  const add = (): void => {
    const region = document.querySelector<HTMLElement>(".canvas");
    addBeside({ store, catalogue, flow, region }, choice);
    onAdded();
  };
  const drag = (event: DragEvent): void => {
    event.dataTransfer.setData(DRAGGED_TYPE, choice.key);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <>
      <button
        type="button"
        className={"model" in choice.data ? "sidebar-item model" : "sidebar-item"}
        draggable={type.available}
        onDragStart={drag}
        onClick={add}
        disabled={!type.available}
        aria-describedby={type.unavailableReason ? id : undefined}
        title={type.unavailableReason ?? type.description}
      >
        <Icon type={type.type} category={type.category} />
        <span>{label}</span>
      </button>
      {type.unavailableReason && (
        <p id={id} className="hint sidebar-reason">
          {briefly(type.unavailableReason)}
        </p>
      )}
    </>
  );
}

/** The first sentence part of a reason; the title has the whole of it. */
function briefly(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1).split(/[:,.] /)[0]}.`;
}
