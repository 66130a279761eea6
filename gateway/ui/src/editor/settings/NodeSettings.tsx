import { useEffect, useRef } from "react";
import type { GraphNode } from "../../api/types";
import { Button } from "../../components/Button";
import { isOwn } from "../catalogue/check";
import type { NodeType, SettingSchema } from "../catalogue/catalogue";
import { setSetting } from "../document/edits";
import { useEditor, useStore } from "../document/store";
import { BODY } from "../bodies/body";
import { WORKFLOW } from "./calls/callee";
import { Fold } from "./Fold";
import { ModelSetting } from "./models/ModelSetting";
import { isModelSetting, useModelOf } from "./models/modelSettings";
import { isWithin, Reasons, sentence } from "./problems";
import { SettingField } from "./SettingField";
import { WireTo } from "./template/PlaceholderList";
import { socketNames } from "./template/placeholders";
import { useSources } from "./template/sources";
import { DelayChoice, isDelay, isOfDelay } from "./waits/DelayChoice";
import { socketOf } from "./WiredNote";

/** Settings that few people need, which are folded away. */
const RARE = new Set(["retry", "timeoutSeconds", "onError", "fallback", "strict", "maxBytes", "saveAs", "each"]);

function isRare(type: NodeType, name: string): boolean {
  // The time of a person to answer is no limit of work.
  if (type.settings.properties?.[name]?.["x-widget"] === "duration") return false;
  return RARE.has(name) || (name === "values" && "fields" in (type.settings.properties ?? {}));
}

/** Whether a setting is about the other of two kinds of work: a graph inside of the node, or a workflow that it calls. */
function isOfOtherWork(type: NodeType, { data }: GraphNode, name: string): boolean {
  const isChoice = BODY in (type.settings.properties ?? {});
  return isChoice && Boolean(data[BODY]) && (name === WORKFLOW || name === "version") && data[name] === undefined;
}

/** A form made from the catalogue's schema of the node's type. */
export function NodeSettings({ node, type }: { node: GraphNode; type: NodeType }) {
  const form = useRef<HTMLDivElement>(null);
  const focused = useEditor((state) => state.focusedField);
  useEffect(() => {
    if (focused && form.current) return leadTo(form.current, focused);
  }, [focused, node.id]);
  const isShown = ([name, schema]: [string, SettingSchema]): boolean =>
    schema["x-widget"] !== "hidden" &&
    !isOfDelay(type, name) &&
    !isOfOtherWork(type, node, name) &&
    (name !== "fallback" || node.data.onError === "fallback");
  const all = Object.entries(type.settings.properties ?? {}).filter(isShown);
  const rare = all.filter(([name]) => isRare(type, name));
  const used = rare.filter(([name]) => node.data[name] !== undefined && node.data[name] !== null).length;
  const show = ([name, schema]: [string, SettingSchema]) => {
    const isRequired = Boolean(type.settings.required?.includes(name));
    const Field = isModelSetting(schema) ? ModelSetting : SettingField;
    return <Field key={name} node={node} name={name} schema={schema} isRequired={isRequired} />;
  };
  return (
    <div className="stack settings" ref={form}>
      <p className="hint">{type.description}</p>
      <OtherReasons node={node} type={type} />
      <Unknown node={node} type={type} />
      {isDelay(type) && <DelayChoice node={node} type={type} />}
      {all.filter(([name]) => !isRare(type, name)).map(show)}
      {rare.length > 0 && (
        <Fold className="more" summary={<>More{used > 0 && <span className="badge">{used} set</span>}</>}>
          <div className="stack">{rare.map(show)}</div>
        </Fold>
      )}
    </div>
  );
}

/** Problems of the node that are about no setting and no socket of one; a missing wire is made from here. */
function OtherReasons({ node, type }: { node: GraphNode; type: NodeType }) {
  const problems = useEditor((state) => state.check.problems);
  const sources = useSources(node.id);
  const fields = useModelOf(node)?.fields ?? [];
  const names = [...Object.keys(type.settings.properties ?? {}), ...fields.map((field) => field.name)];
  const shownAtSockets = new Set([...names.map(socketOf), ...socketNames(node.data)]);
  const ofNode = problems.filter((each) => isOwn(each, node.id) && !each.field && !(each.socket && shownAtSockets.has(each.socket)));
  const sockets = ofNode.flatMap((each) => each.socket ?? []);
  const others = ofNode.filter((each) => !each.socket).map((each) => sentence(each.reason));
  return (
    <>
      <Reasons reasons={[...new Set(others)]} />
      {sockets.length > 0 && (
        <ul className="placeholders" aria-label="Inputs without a wire">
          {sockets.map((socket) => (
            <li key={socket}>
              <code>{socket}</code>
              <WireTo node={node} name={socket} sources={sources} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Problems of settings that nodes of this type do not have, which no control shows; from here they are removed. */
function Unknown({ node, type }: { node: GraphNode; type: NodeType }) {
  const store = useStore();
  const problems = useEditor((state) => state.check.problems);
  const names = Object.keys(node.data).filter((name) => !(name in (type.settings.properties ?? {})));
  const found = names.flatMap((name) => {
    const reasons = problems.filter((each) => isOwn(each, node.id) && isWithin(each.field, name)).map((each) => sentence(each.reason, each.field));
    return reasons.length > 0 ? [{ name, reasons: [...new Set(reasons)] }] : [];
  });
  return found.map(({ name, reasons }) => (
    <div key={name} className="field" data-field={name}>
      <Reasons reasons={reasons} />
      <div className="row">
        <Button isCompact onClick={() => store.edit(setSetting(node.id, name, undefined))}>
          Remove {name}
        </Button>
      </div>
    </div>
  ));
}

const CONTROLS = "input, textarea, select, summary, button";
const OPENING_MS = 60;

/** The path of a setting, and those of all that contains it. */
function pathsTo(field: string): string[] {
  const paths: string[] = [];
  for (let path = field; path; path = path.replace(/(\.[^.[\]]*|\[\d+\]|^[^.[\]]+)$/, "")) paths.push(path);
  return paths;
}

/** Show and focus a setting, or the nearest one that contains it; folds open on the way. Returns a stop. */
function leadTo(form: HTMLElement, field: string): () => void {
  const find = (path: string): HTMLElement | null => form.querySelector(`[data-field="${CSS.escape(path)}"]`);
  let timer = 0;
  const step = (folds: number): void => {
    const path = pathsTo(field).find(find);
    const place = path ? find(path) : null;
    const closed = place?.querySelector<HTMLDetailsElement>(":scope > details:not([open])") ?? (place ? null : form.querySelector<HTMLDetailsElement>("details.more:not([open])"));
    if (closed && path !== field && folds > 0) {
      closed.open = true;
      timer = window.setTimeout(step, OPENING_MS, folds - 1);
      return;
    }
    place?.scrollIntoView({ block: "center" });
    place?.querySelector<HTMLElement>(CONTROLS)?.focus({ preventScroll: true });
  };
  step(2);
  return () => clearTimeout(timer);
}
