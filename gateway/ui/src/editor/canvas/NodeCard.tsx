import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { BodyPreview } from "../bodies/BodyPreview";
import { bodyOf } from "../bodies/body";
import { ERROR_OUT, socketsOf, useCatalogue } from "../catalogue/catalogue";
import { problemsOf } from "../catalogue/check";
import { useModels } from "../catalogue/models";
import { useEditor } from "../document/store";
import { NodeRun } from "../running/card/NodeRun";
import { calleeOf } from "../settings/calls/callee";
import { CalleeLine } from "./card/CalleeLine";
import { Icon } from "./card/Icon";
import { NodeName } from "./card/NodeName";
import { ErrorSocket, SocketRow } from "./card/SocketRow";
import { counted, summaryOf } from "./card/summary";
import { useSocketPlaces } from "./card/useSocketPlaces";
import type { FlowNode } from "./flow";

/** A node as a card: its type, its name, a summary of its settings, its sockets. */
export const NodeCard = memo(function NodeCard({ id, data: { node } }: NodeProps<FlowNode>) {
  const catalogue = useCatalogue();
  const type = catalogue?.get(node.type);
  const sockets = useEditor((state) => socketsOf(node, state.check.sockets, catalogue));
  const problems = useEditor((state) => problemsOf(state.check, id));
  useSocketPlaces(id, sockets);
  const error = sockets.outputs.find((socket) => socket.name === ERROR_OUT);
  const body = bodyOf(node);
  const callee = calleeOf(node);
  const summary = summaryOf(node);
  return (
    <div className="node" data-category={type?.category} data-problems={problems || undefined}>
      <header>
        <Icon type={node.type} category={type?.category ?? ""} />
        <span className="node-titles">
          <span className="node-type">{type?.label ?? node.type}</span>
          <NodeName id={id} />
        </span>
        {problems > 0 && (
          <span className="node-problems" title={counted(problems, "problem")}>
            {problems}
          </span>
        )}
      </header>
      {/* Of one height with and without a run, so that a run moves neither sockets nor other cards. */}
      <div className="node-body">
        {body && <BodyPreview nodeId={id} body={body} />}
        {callee && <CalleeLine node={node} slug={callee} />}
        {typeof node.data.model === "string" && <ModelChip internalName={node.data.model} />}
        {body || callee ? null : summary ? (
          <p className={summary.isCode ? "node-summary code-line" : "node-summary"}>{summary.text}</p>
        ) : (
          <p className="node-summary unset">{type?.description}</p>
        )}
        <NodeRun node={node} />
      </div>
      <div className="sockets">
        <ul>
          {sockets.inputs.map((socket) => (
            <SocketRow key={socket.name} socket={socket} side="target" />
          ))}
        </ul>
        <ul>
          {sockets.outputs
            .filter((socket) => socket !== error)
            .map((socket) => (
              <SocketRow key={socket.name} socket={socket} side="source" />
            ))}
        </ul>
      </div>
      {error && <ErrorSocket socket={error} />}
    </div>
  );
});

function ModelChip({ internalName }: { internalName: string }) {
  const model = useModels().find((each) => each.internalName === internalName);
  const isMissing = model && !model.available;
  return (
    <p className="node-model" data-missing={isMissing || undefined} title={model?.unavailableReason ?? internalName}>
      {model?.name ?? internalName}
    </p>
  );
}
