import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Model } from "../../../api/types";
import { toast } from "../../../components/Toast";
import { useCatalogue } from "../../catalogue/catalogue";
import { isOfKind, lacksTools, useModels } from "../../catalogue/models";
import { setData } from "../../document/edits";
import { useStore } from "../../document/store";
import { attributes } from "../widgets/simple";
import { inWords, type WidgetProps } from "../widgets/widget";
import { categoryOf, missingOf, priceOf, withoutUnknown } from "./modelSettings";

/** Finds a model of the fitting kind by name, price in sight. */
export function ModelPicker(props: WidgetProps) {
  const { node, value, id } = props;
  const store = useStore();
  const type = useCatalogue()?.get(node.type);
  const models = useModels();
  const [sought, setSought] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const chosen = models.find((each) => each.internalName === value);
  const category = categoryOf(type);
  const matching = models
    .filter((each) => each.enabled && isOfKind(node.type, each) && (category === null || each.category === category) && !lacksTools(node.type, each))
    .filter((each) => `${each.name} ${each.internalName} ${each.category}`.toLowerCase().includes((sought ?? "").trim().toLowerCase()))
    .sort((one, other) => Number(other.available) - Number(one.available));
  const isOpen = sought !== null;
  const place = Math.max(0, Math.min(active, matching.length - 1));
  useEffect(() => {
    list.current?.children[place]?.scrollIntoView({ block: "nearest" });
  }, [place]);

  const choose = (model: Model): void => {
    setSought(null);
    if (model === chosen || !type) return;
    const { data, dropped } = withoutUnknown(node.data, model, type);
    store.edit(setData(node.id, { ...data, model: model.internalName }));
    if (dropped.length > 0) {
      toast(`${model.name} does not take ${dropped.join(", ")}: removed.`, { label: "Undo", run: store.undo });
    }
  };
  const open = (text: string): void => {
    setSought(text);
    setActive(text === "" ? matching.indexOf(chosen as Model) : 0);
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const model = matching[place];
    if (step && !isOpen) open("");
    else if (step) setActive((place + step + matching.length) % Math.max(1, matching.length));
    else if (event.key === "Enter" && isOpen && model) choose(model);
    else if (event.key === "Escape" && isOpen) setSought(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="picker">
      <input
        {...attributes(props)}
        className="input"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && matching.length > 0 ? `${id}-${place}` : undefined}
        autoComplete="off"
        placeholder={isOpen && chosen ? chosen.name : "Search models"}
        value={sought ?? chosen?.name ?? inWords(value)}
        onClick={() => !isOpen && open("")}
        onChange={(event) => open(event.target.value)}
        onBlur={() => setSought(null)}
        onKeyDown={press}
      />
      <div className="choices models" role="listbox" id={`${id}-list`} aria-label="Choices" ref={list} hidden={!isOpen}>
        {isOpen &&
          matching.map((model, at) => (
            <Choice key={model.internalName} id={`${id}-${at}`} model={model} isActive={at === place} isChosen={model === chosen} onChoose={choose} />
          ))}
      </div>
      {isOpen && matching.length === 0 && (
        <p className="hint" role="status">
          No model of this kind has such a name.
        </p>
      )}
      {!isOpen && chosen && <Facts model={chosen} />}
      {!isOpen && typeof value === "string" && value && !chosen && models.length > 0 && (
        <p className="note warn small">There is no model ‘{value}’ here.</p>
      )}
    </div>
  );
}

interface ChoiceProps {
  id: string;
  model: Model;
  isActive: boolean;
  isChosen: boolean;
  onChoose: (model: Model) => void;
}

function Choice({ id, model, isActive, isChosen, onChoose }: ChoiceProps) {
  const missing = missingOf(model);
  return (
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      data-active={isActive || undefined}
      className={missing ? "missing" : undefined}
      tabIndex={-1}
      onMouseDown={(event) => {
        event.preventDefault();
        onChoose(model);
      }}
    >
      <span className="model-name">{model.name}</span>
      <Badges model={model} />
      <span className="hint">{missing ?? priceOf(model)}</span>
    </div>
  );
}

function Badges({ model }: { model: Model }) {
  return (
    <span className="badges">
      {model.isDemo && <span className="badge warn">Demo</span>}
      {model.tierRequired !== "free" && <span className="badge">{tierOf(model)}</span>}
    </span>
  );
}

function tierOf({ tierRequired }: Model): string {
  return `${tierRequired.charAt(0).toUpperCase()}${tierRequired.slice(1)} and up`;
}

function Facts({ model }: { model: Model }) {
  const missing = missingOf(model);
  return (
    <>
      <p className="row hint">
        {priceOf(model)} <Badges model={model} />
      </p>
      {missing && <p className="note warn small">A run would fail now. {missing}</p>}
      {model.isDemo && <p className="hint">Its answers are made up here; no real model is asked.</p>}
    </>
  );
}
