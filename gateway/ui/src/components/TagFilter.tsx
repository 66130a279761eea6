import { useEffect, useState } from "react";
import { setParameters } from "../shell/router";
import { Labelled } from "./Labelled";

const TYPING_MS = 500;

/** Tags of which runs must have all, in the address, once one stops typing. */
export function TagFilter({ value }: { value: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => setParameters({ tag: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <Labelled label="Tags">
      {(id) => (
        <input
          id={id}
          type="search"
          className="input compact"
          placeholder="all of these"
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
    </Labelled>
  );
}
