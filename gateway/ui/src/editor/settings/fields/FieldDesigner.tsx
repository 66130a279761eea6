import { useState } from "react";
import type { FieldType } from "../../../api/types";
import { Button } from "../../../components/Button";
import type { Edit } from "../../document/edits";
import { Fold } from "../Fold";
import { Sortable } from "../lists/Sortable";
import { RowReasons, useReasons } from "../problems";
import { renameSocket, unwire } from "../sockets";
import type { WidgetProps } from "../widgets/widget";
import { AddField } from "./AddField";
import { FieldForm } from "./FieldForm";
import { FormPreview } from "./FormPreview";
import { type DraftField, freeName, retyped, TYPES, typesOf } from "./fields";

/** The form that callers or approvers fill in: its fields in order, each with its constraints, and a preview. */
export function FieldDesigner({ node, name, schema, value, onChange }: WidgetProps) {
  const [newest, setNewest] = useState<number | null>(null);
  const rows = (Array.isArray(value) ? value : []) as DraftField[];
  const names = rows.map((row) => row.name);
  const types = typesOf(schema);
  // Fields of other forms have no sockets, and a socket may have the name of one.
  const haveSockets = node.type === "requestInput";
  const set = (next: DraftField[], part?: string, also?: Edit): void => onChange(next.length > 0 ? next : undefined, part, also);

  const change = (place: number, to: DraftField, part: string): void => {
    const before = rows[place] as DraftField;
    const also = !haveSockets || to.name === before.name ? undefined : renameSocket(node.id, "outputs", before.name, to.name);
    set(rows.map((row, each) => (each === place ? to : row)), `${place}.${part}`, also);
  };
  const reorder = (next: DraftField[]): void => {
    const gone = names.find((each) => !next.some((row) => row.name === each));
    set(next, undefined, !haveSockets || gone === undefined ? undefined : unwire(node.id, "outputs", gone));
  };
  const add = (type: FieldType): void => {
    set([...rows, retyped({ name: freeName("field", names), type: "text", required: false }, type)]);
    setNewest(rows.length);
  };
  const copy = (place: number): void => {
    const field = rows[place] as DraftField;
    const next = [...rows];
    next.splice(place + 1, 0, { ...field, name: freeName(field.name, names) });
    set(next);
  };
  return (
    <div className="stack tight">
      {rows.length > 0 && (
        <Sortable rows={rows} nameOf={(row) => `field ${row.name}`} pathOf={(place) => `${name}[${place}]`} onChange={reorder}>
          {(row, place) => (
            <Row
              nodeId={node.id}
              path={`${name}[${place}]`}
              field={row}
              isNew={place === newest}
              taken={names.filter((_, each) => each !== place)}
              types={types}
              onChange={(to, part) => change(place, to, part)}
              onCopy={() => copy(place)}
            />
          )}
        </Sortable>
      )}
      <AddField types={types} onAdd={add} />
      <FormPreview fields={rows} />
    </div>
  );
}

interface RowProps {
  nodeId: string;
  path: string;
  field: DraftField;
  /** Just added: it is open, with the caret in its name. */
  isNew: boolean;
  taken: string[];
  types: [FieldType, string][];
  onChange: (field: DraftField, part: string) => void;
  onCopy: () => void;
}

function Row({ nodeId, path, field, isNew, taken, types, onChange, onCopy }: RowProps) {
  const count = useReasons(nodeId, path).length;
  return (
    <Fold
      className="field-row"
      isOpenAtFirst={isNew}
      summary={
        <>
        <span className="field-title">{field.label || field.name}</span>
        <span className="hint">
          {TYPES[field.type] ?? field.type}
          {field.required && ", required"}
        </span>
        {count > 0 && <span className="badge bad">{count === 1 ? "1 problem" : `${count} problems`}</span>}
        </>
      }
    >
      <div className="stack tight">
        <FieldForm path={path} field={field} isNew={isNew} taken={taken} types={types} onChange={onChange} />
        <RowReasons nodeId={nodeId} path={path} />
        <div className="row">
          <Button isCompact onClick={onCopy} aria-label={`Duplicate field ${field.name}`}>
            Duplicate
          </Button>
        </div>
      </div>
    </Fold>
  );
}
