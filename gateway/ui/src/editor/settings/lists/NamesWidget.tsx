import { Button } from "../../../components/Button";
import { freeId } from "../../document/document";
import type { Edit } from "../../document/edits";
import { RowReasons } from "../problems";
import { renameSocket, unwire } from "../sockets";
import type { WidgetProps } from "../widgets/widget";
import { NameInput } from "./NameInput";
import { Sortable } from "./Sortable";

const ANY_NAME = /^(?! )[^\x00-\x1f\x7f]{1,64}(?<! )$/;
const ANY_NAME_RULE = "1 to 64 characters, with no space around them.";
const IDENTIFIER_RULE = "Letters, digits and _, of which the first is no digit.";

type Row = string | { name: string };

function nameOf(row: Row): string {
  return typeof row === "string" ? row : String(row?.name ?? "");
}

/** Names of sockets: as texts, or as objects with a name. Wires follow a name that changes. */
export function NamesWidget({ node, name, schema, value, onChange }: WidgetProps) {
  const rows = (Array.isArray(value) ? value : []) as Row[];
  const isText = schema.items?.type === "string";
  const pattern = isText && schema.items?.pattern ? new RegExp(schema.items.pattern) : ANY_NAME;
  const names = rows.map(nameOf);
  const one = isText ? "variable" : "field";
  const set = (next: Row[], part?: string, also?: Edit): void => onChange(next.length > 0 ? next : undefined, part, also);
  const rename = (place: number, to: string): void => {
    const next = rows.map((row, each) => (each !== place ? row : typeof row === "string" ? to : { ...row, name: to }));
    set(next, String(place), renameSocket(node.id, "inputs", names[place] as string, to));
  };
  const add = (): void => {
    const made = freeId(one, { has: (id) => names.includes(id) }).replace("-", "_");
    set([...rows, isText ? made : { name: made }]);
  };
  const change = (next: Row[]): void => {
    const left = next.map(nameOf);
    const gone = names.find((each) => !left.includes(each));
    set(next, undefined, gone === undefined ? undefined : unwire(node.id, "inputs", gone));
  };
  return (
    <>
      {rows.length > 0 && (
        <Sortable rows={rows} nameOf={(row) => `${one} ${nameOf(row)}`} pathOf={(place) => `${name}[${place}]`} onChange={change}>
          {(row, place) => (
            <div className="stack tight">
              <NameInput
                value={nameOf(row)}
                label={`Name of ${one} ${place + 1}`}
                taken={names.filter((_, each) => each !== place)}
                pattern={pattern}
                rule={isText ? IDENTIFIER_RULE : ANY_NAME_RULE}
                onChange={(to) => rename(place, to)}
              />
              <RowReasons nodeId={node.id} path={`${name}[${place}]`} />
            </div>
          )}
        </Sortable>
      )}
      <div className="row">
        <Button isCompact onClick={add}>
          Add a {one}
        </Button>
      </div>
    </>
  );
}
