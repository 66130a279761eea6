import { Button } from "../../../components/Button";
import { BodyPreview } from "../../bodies/BodyPreview";
import { bodyOf, newBody } from "../../bodies/body";
import { openGraph } from "../../bodies/open";
import { setSetting } from "../../document/edits";
import { useEditor, useStore } from "../../document/store";
import { Reasons, sentence } from "../problems";
import type { WidgetProps } from "../widgets/widget";
import { WORKFLOW } from "./callee";
import "./calls.css";

/** The work for each item: a graph that is drawn here, or another workflow. */
export function BodyWidget({ node, id, onChange }: WidgetProps) {
  const { path } = useStore();
  const body = bodyOf(node);
  // A version is one of the called workflow.
  const withoutCall = (document: Parameters<ReturnType<typeof setSetting>>[0]) =>
    setSetting(node.id, "version", undefined)(setSetting(node.id, WORKFLOW, undefined)(document));
  return (
    <>
      <div className="body-choice" role="radiogroup" aria-label="Work for each item">
        <label>
          <input type="radio" id={id} name={id} checked={body !== null} onChange={() => onChange(newBody(), "", withoutCall)} />
          A part that is drawn here
        </label>
        <label>
          <input type="radio" name={id} checked={body === null} onChange={() => onChange(undefined)} />
          Another workflow
        </label>
      </div>
      {body && (
        <>
          <BodyPreview nodeId={node.id} body={body} isLarge />
          <Button onClick={() => openGraph([...path, node.id])}>Draw the part</Button>
          <InnerReasons nodeId={node.id} />
        </>
      )}
    </>
  );
}

/** Problems of the graph inside of the node. */
function InnerReasons({ nodeId }: { nodeId: string }) {
  const problems = useEditor((state) => state.check.problems);
  const inner = problems.filter(({ path }) => path?.[0] === nodeId);
  const reasons = inner.map(({ path = [], reason }) => [...path.slice(1), sentence(reason)].join(": "));
  return <Reasons reasons={[...new Set(reasons)]} />;
}
