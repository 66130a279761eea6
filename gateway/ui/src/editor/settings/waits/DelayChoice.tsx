import { useId, useState } from "react";
import type { GraphNode } from "../../../api/types";
import type { NodeType } from "../../catalogue/catalogue";
import { all, setSetting } from "../../document/edits";
import { useDocument, useStore } from "../../document/store";
import { Reasons, useReasons } from "../problems";
import { SettingField } from "../SettingField";
import { socketOf } from "../WiredNote";
import "./waits.css";

const KINDS = { seconds: "For a time", until: "Until a moment" } as const;
type Kind = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Kind[];

/** Whether the settings of a type are a choice between a time and a moment. */
export function isDelay({ settings }: NodeType): boolean {
  return NAMES.every((name) => name in (settings.properties ?? {}));
}

export function isOfDelay(type: NodeType, name: string): boolean {
  return isDelay(type) && name in KINDS;
}

/** The length of a wait: a time or a moment. A document that has both shows both. */
export function DelayChoice({ node, type }: { node: GraphNode; type: NodeType }) {
  const id = useId();
  const store = useStore();
  const { edges } = useDocument();
  const isGiven = (kind: Kind): boolean => node.data[kind] !== undefined && node.data[kind] !== null;
  const isWired = (kind: Kind): boolean => edges.some((edge) => edge.target === node.id && edge.targetHandle === socketOf(kind));
  const [chosen, setChosen] = useState<Kind>(() => NAMES.find((kind) => isWired(kind)) ?? NAMES.find(isGiven) ?? "seconds");
  const given = NAMES.filter((kind) => isGiven(kind) || isWired(kind));
  const shown = given.length > 1 ? NAMES : (given.length === 1 ? given : [chosen]);
  const hidden = NAMES.find((kind) => !shown.includes(kind));
  const hiddenReasons = useReasons(node.id, hidden ?? "");
  const choose = (kind: Kind): void => {
    setChosen(kind);
    const others = NAMES.filter((each) => each !== kind && isGiven(each));
    if (others.length > 0) store.edit(all(...others.map((each) => setSetting(node.id, each, undefined))));
  };
  return (
    <>
      <div className="field setting" role="radiogroup" aria-labelledby={`${id}-label`}>
        <span className="label" id={`${id}-label`}>
          Wait
        </span>
        <div className="pills">
          {NAMES.map((kind) => (
            <label key={kind} className="pill">
              <input
                type="radio"
                className="hidden-visually"
                name={id}
                checked={shown.includes(kind) && shown.length === 1}
                onChange={() => choose(kind)}
              />
              <span>{KINDS[kind]}</span>
            </label>
          ))}
        </div>
        <Reasons reasons={hidden ? hiddenReasons : []} />
      </div>
      {shown.map((kind) => (
        <SettingField key={kind} node={node} name={kind} schema={type.settings.properties?.[kind] ?? {}} isRequired={false} />
      ))}
    </>
  );
}
