import { useEffect, useRef } from "react";
import type { GraphEdge, ListedSecret } from "../../../api/types";
import type { Source } from "./sources";

export interface Suggestion {
  /** Text between the braces. */
  text: string;
  about: string;
  type?: string;
  /** The output to wire to the new placeholder. */
  source?: Source;
}

interface Known {
  names: ReadonlySet<string>;
  wires: ReadonlyMap<string, GraphEdge>;
  sources: readonly Source[];
  secrets: readonly ListedSecret[];
}

/** Placeholders that the node has, then outputs that may be wired, then secrets. */
export function suggestionsFor(sought: string, known: Known): Suggestion[] {
  const had = [...known.names].map((name): Suggestion => {
    const wire = known.wires.get(name);
    return { text: name, about: wire ? `wired from ${wire.source} · ${wire.sourceHandle}` : "not wired yet" };
  });
  const wired = new Set([...known.wires.values()].map((wire) => `${wire.source} ${wire.sourceHandle}`));
  const taken = new Set(known.names);
  const fresh = known.sources
    .filter((each) => !taken.has(each.name) && !wired.has(`${each.node} ${each.output.name}`))
    .map((each): Suggestion => {
      const about = `wires ${each.node} · ${each.output.name}`;
      return { text: each.name, about, type: each.output.type, source: each };
    });
  fresh.sort((one, other) => Number(other.type === "text") - Number(one.type === "text"));
  const secrets = known.secrets.map((each): Suggestion => ({ text: `secret.${each.name}`, about: "a secret of the account" }));
  const words = sought.toLowerCase();
  // A name being typed is a placeholder of the node already once its braces are closed.
  return [...had, ...fresh, ...secrets].filter((each) => each.text.toLowerCase().includes(words) && each.text !== sought);
}

interface Props {
  id: string;
  suggestions: readonly Suggestion[];
  active: number;
  onChoose: (suggestion: Suggestion) => void;
}

/** Suggestions for the text between the braces at the caret. */
export function Completions({ id, suggestions, active, onChoose }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div className="choices" role="listbox" id={id} aria-label="Suggestions" ref={list}>
      {suggestions.map((each, place) => (
        <div
          key={`${each.text} ${each.about}`}
          id={`${id}-${place}`}
          role="option"
          aria-selected={place === active}
          tabIndex={-1}
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(each);
          }}
        >
          <code>{each.text}</code>
          <span className="hint">{each.about}</span>
          {each.type && <span className={`socket-type ${each.type}`}>{each.type}</span>}
        </div>
      ))}
    </div>
  );
}
