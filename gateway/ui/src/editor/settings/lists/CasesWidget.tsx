import { Button } from "../../../components/Button";
import { freeId } from "../../document/document";
import { ExpressionEditor } from "../expression/ExpressionEditor";
import { FunctionList } from "../expression/FunctionList";
import { RowReasons, useReasons } from "../problems";
import { renameSocket, unwire } from "../sockets";
import type { WidgetProps } from "../widgets/widget";
import { NameInput } from "./NameInput";
import { Sortable } from "./Sortable";

interface Case {
  name: string;
  when: string;
}

/** Cases in order: the first whose condition is true has the value at the output of its name. */
export function CasesWidget({ node, name, value, onChange }: WidgetProps) {
  const rows = (Array.isArray(value) ? value : []) as Case[];
  const names = rows.map((row) => row.name);
  const set = (place: number, changes: Partial<Case>): Case[] =>
    rows.map((row, each) => (each === place ? { ...row, ...changes } : row));
  const add = (): void => {
    const made = freeId("case", { has: (id) => names.includes(id.replace("-", "_")) }).replace("-", "_");
    onChange([...rows, { name: made, when: "true" }]);
  };
  const change = (next: Case[]): void => {
    const gone = names.find((each) => !next.some((row) => row.name === each));
    onChange(next, undefined, gone === undefined ? undefined : unwire(node.id, "outputs", gone));
  };
  return (
    <>
      {rows.length > 0 && (
        <Sortable rows={rows} nameOf={(row) => `case ${row.name}`} pathOf={(place) => `${name}[${place}]`} onChange={change}>
          {(row, place) => (
            <div className="stack tight">
              <NameInput
                value={row.name}
                label={`Name of case ${place + 1}`}
                taken={names.filter((_, each) => each !== place)}
                pattern={/^\w{1,64}$/}
                rule="Letters, digits and _ only."
                onChange={(to) => onChange(set(place, { name: to }), `${place}.name`, renameSocket(node.id, "outputs", row.name, to))}
              />
              <When node={node} path={`${name}[${place}]`} row={row} onChange={(when) => onChange(set(place, { when }), `${place}.when`)} />
            </div>
          )}
        </Sortable>
      )}
      <div className="row">
        <Button isCompact onClick={add}>
          Add a case
        </Button>
      </div>
      {rows.length > 0 && <FunctionList />}
    </>
  );
}

function When({ node, path, row, onChange }: { node: WidgetProps["node"]; path: string; row: Case; onChange: (when: string) => void }) {
  const reasons = useReasons(node.id, `${path}.when`);
  return (
    <div data-field={`${path}.when`} className="stack tight">
      <ExpressionEditor node={node} label={`Condition of case ${row.name}`} text={row.when} onChange={onChange} reasons={reasons} />
      <RowReasons nodeId={node.id} path={path} />
    </div>
  );
}
