import { useId, useState } from "react";
import { Fold } from "../Fold";
import { insertIntoLast } from "./ExpressionEditor";
import FUNCTIONS from "./functions.json";

/** The functions of expressions, each with an example; pressing one inserts it at the caret. */
export function FunctionList() {
  const id = useId();
  const [sought, setSought] = useState("");
  const words = sought.trim().toLowerCase();
  const groups = FUNCTIONS.map(({ group, functions }) => ({
    group,
    functions: functions.filter((each) => `${each.signature} ${each.about}`.toLowerCase().includes(words)),
  })).filter((each) => each.functions.length > 0);
  return (
    <Fold summary="Functions">
        <div className="stack tight">
          <label htmlFor={id} className="hidden-visually">
            Search functions
          </label>
          <input id={id} type="search" className="input" placeholder="Search functions" value={sought} onChange={(event) => setSought(event.target.value)} />
          <div className="function-groups">
            {groups.map(({ group, functions }) => (
              <section key={group}>
                <h3>{group}</h3>
                <ul>
                  {functions.map((each) => (
                    <li key={each.signature}>
                      <button type="button" aria-label={`Insert ${each.signature}`} onClick={(event) => insertIntoLast(event.currentTarget, each.insert)}>
                        <code>{each.signature}</code>
                      </button>
                      <p className="hint">{each.about}</p>
                      <p className="example">
                        <code>{each.example}</code> gives <code>{each.gives}</code>
                      </p>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
            {groups.length === 0 && <p className="hint">No function has such a name.</p>}
          </div>
        </div>
    </Fold>
  );
}
