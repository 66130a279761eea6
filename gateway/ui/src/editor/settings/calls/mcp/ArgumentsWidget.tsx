import { useState } from "react";
import { Button } from "../../../../components/Button";
import type { Edit } from "../../../document/edits";
import { useDocument } from "../../../document/store";
import { RowReasons } from "../../problems";
import { SourceLink } from "../../SourceLink";
import { TemplateEditor } from "../../template/TemplateEditor";
import { socketNames } from "../../template/placeholders";
import type { WidgetProps } from "../../widgets/widget";
import { type Argument, argumentsOf, read, shown, typedOf } from "./arguments";

/** A value for each argument of the tool; a wire takes the place of a typed one. */
export function ArgumentsWidget({ node, name, id, onChange }: WidgetProps) {
  const [added, setAdded] = useState("");
  const typed = typedOf(node.data);
  const rows = argumentsOf(node.data);
  const set = (argument: string, to: unknown, also?: Edit): void => {
    const { [argument]: _, ...others } = typed;
    const next = to === undefined ? others : { ...typed, [argument]: to };
    onChange(Object.keys(next).length > 0 ? next : undefined, argument, also);
  };
  const add = (): void => {
    const argument = added.trim();
    if (argument && !rows.some((row) => row.name === argument)) set(argument, "");
    setAdded("");
  };
  return (
    <>
      {rows.map((row) => (
        <Row key={row.name} node={node} path={`${name}.${row.name}`} argument={row} value={typed[row.name]} onSet={set} />
      ))}
      {rows.length === 0 && <p className="hint">List the tools of the server to see the arguments of this one, or add them by name.</p>}
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <input id={id} className="input" aria-label="Name of another argument" placeholder="Name of another argument" value={added} onChange={(event) => setAdded(event.target.value)} />
        <Button isCompact type="submit" disabled={!added.trim()}>
          Add
        </Button>
      </form>
    </>
  );
}

interface RowProps extends Pick<WidgetProps, "node"> {
  path: string;
  argument: Argument;
  value: unknown;
  onSet: (argument: string, to: unknown, also?: Edit) => void;
}

function Row({ node, path, argument, value, onSet }: RowProps) {
  const { name, type, about, isRequired, isKnown } = argument;
  const isPlaceholder = socketNames(typedOf(node.data)).has(name);
  const edge = useDocument().edges.find((each) => isKnown && !isPlaceholder && each.target === node.id && each.targetHandle === name);
  return (
    <div className="field" data-field={path}>
      <div className="row spread">
        <span className="label">
          <code>{name}</code> <span className="muted small">{[type, isRequired && "required"].filter(Boolean).join(", ")}</span>
        </span>
        {!isKnown && (
          <Button look="quiet" isCompact aria-label={`Remove ${name}`} onClick={() => onSet(name, undefined)}>
            ×
          </Button>
        )}
      </div>
      {edge ? (
        <p className="hint wired">
          A wire takes its place: from <SourceLink edge={edge} />
        </p>
      ) : (
        <TemplateEditor
          node={node}
          label={`Value of ${name}`}
          text={shown(value)}
          rows={1}
          placeholder={isRequired ? "Type a value, or wire it" : "Left out"}
          onChange={(to, also) => onSet(name, read(to, value) ?? (isKnown ? undefined : ""), also)}
        />
      )}
      {about && <p className="hint">{about}</p>}
      <RowReasons nodeId={node.id} path={path} />
    </div>
  );
}
