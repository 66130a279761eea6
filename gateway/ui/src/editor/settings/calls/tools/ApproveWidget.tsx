import { useState } from "react";
import { Button } from "../../../../components/Button";
import type { WidgetProps } from "../../widgets/widget";
import { useListed } from "./serverTools";
import { approvedOf, isWorkflow, nameForModels, namesOf, toolsOf } from "./tools";

/** The tools before which a person is asked: a check box for each tool that is known. */
export function ApproveWidget({ node, id, onChange }: WidgetProps) {
  const listed = useListed();
  const [typed, setTyped] = useState("");
  const tools = toolsOf(node.data);
  const chosen = approvedOf(node.data);
  const known = [...new Set(tools.flatMap((tool) => namesOf(tool, listed)))];
  const others = chosen.filter((name) => !known.includes(name));
  const mayHaveMore = tools.some((tool) => !isWorkflow(tool) && !tool.tool);
  const choose = (name: string, isChosen: boolean): void => {
    const next = [...chosen.filter((each) => each !== name), ...(isChosen ? [name] : [])];
    onChange(next.length > 0 ? next : undefined);
  };
  const add = (): void => {
    const name = nameForModels(typed.trim());
    if (name) choose(name, true);
    setTyped("");
  };
  if (tools.length === 0 && chosen.length === 0) return <p className="hint">There are no tools so far.</p>;
  return (
    <>
      <ul className="approved-tools">
        {[...known, ...others].map((name) => (
          <li key={name}>
            <label>
              <input type="checkbox" checked={chosen.includes(name)} onChange={(event) => choose(name, event.target.checked)} />
              <code>{name}</code>
              {others.includes(name) && !mayHaveMore && <span className="fault">No tool has this name.</span>}
            </label>
          </li>
        ))}
      </ul>
      {mayHaveMore && (
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <input id={id} className="input" aria-label="Name of another tool" placeholder="Name of another tool" value={typed} onChange={(event) => setTyped(event.target.value)} />
          <Button isCompact type="submit" disabled={!typed.trim()}>
            Add
          </Button>
        </form>
      )}
      <p className="hint">The run stops before each call of these until somebody answers. A refusal goes to the model as the tool’s answer.</p>
    </>
  );
}
