import { useEffect } from "react";
import { useResource } from "../../api/resource";
import type { ExecutionDetail, ExecutionNode, NodeAttempt, NodeValues } from "../../api/types";
import { ChildList } from "../../children/ChildList";
import { type Children, childrenOf } from "../../children/children";
import { StepList } from "../../children/steps/StepList";
import { isAgent } from "../../children/steps/steps";
import { credits, duration, Moment } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { StatusBadge } from "../../components/StatusBadge";
import { Link } from "../../shell/router";
import { graphAddress } from "../../editor/bodies/address";
import { SocketValue } from "../../editor/running/values/SocketValue";
import { valuesPath } from "../../editor/running/values/values";
import { isWait } from "./scale";
import { statusOf, turnOf, workOf } from "./timeline";
import { NodeWait } from "./waits/NodeWait";
import { lastBefore, useBodyPath, useGraph } from "./useGraph";

interface Props {
  execution: ExecutionDetail;
  node: ExecutionNode;
  onChoose: (nodeId: string) => void;
  onClose: () => void;
}

/** A node's inputs, outputs and attempts. */
export function NodePanel({ execution, node, onChoose, onClose }: Props) {
  const { data, error, reload } = useResource<NodeValues>(valuesPath(execution.executionId, node.id));
  const children = childrenOf(node);
  const going = isAgent(node) ? markOf(node, children, execution) : "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (data) reload();
  }, [going]);
  const path = useBodyPath(execution) ?? [];
  const address = execution.workflowSlug && graphAddress(execution.workflowSlug, path, { node: node.id, ...(path.length > 0 && { item: execution.executionId }) });
  return (
    <section className="panel stack node-panel" aria-label={`Node ${node.id}`}>
      <div className="row spread">
        <h2>
          {node.id} <span className="muted small">{node.type}</span>
        </h2>
        <span className="row">
          {address && (
            <Link className="button quiet compact" href={address}>
              Open in the editor
            </Link>
          )}
          <Button isCompact look="quiet" onClick={onClose}>
            Close
          </Button>
        </span>
      </div>
      <Facts execution={execution} node={node} values={data} onChoose={onChoose} />
      {node.error && (
        <div className="note bad">
          <p>{node.error.message}</p>
          <code>{node.error.code}</code>
        </div>
      )}
      {children && !data?.steps && <ChildList parentId={execution.executionId} node={node} found={children} />}
      {data?.steps && <StepList steps={data.steps} />}
      <NodeWait execution={execution} node={node} values={data} />
      {!data && (error ? <Failed error={error} retry={reload} /> : <Loading height="8rem" />)}
      {data && (
        <>
          <Sockets title="Input" values={data.inputs} absent={absence(data, node, "input")} />
          <Sockets title="Output" values={data.outputs} absent={absence(data, node, "output")} />
          {data.attempts.length > 0 && !isWait(node) && <Attempts attempts={data.attempts} />}
        </>
      )}
    </section>
  );
}

/** Changes when the steps of an agent go on. */
function markOf(node: ExecutionNode, children: Children | undefined, { waitingFor }: ExecutionDetail): string {
  return JSON.stringify([node.status, children, waitingFor?.length]);
}

function Facts({ execution, node, values, onChoose }: Omit<Props, "onClose"> & { values: NodeValues | undefined }) {
  const before = lastBefore(node.id, useGraph(execution), execution.nodes);
  const queued = isWait(node) ? 0 : (values?.attempts.reduce((sum, each) => sum + each.queuedMs, 0) ?? 0);
  return (
    <div className="row small muted facts-line">
      <StatusBadge status={statusOf(node)} />
      {node.durationMs !== null && <span className="figures">{isWait(node) ? "waited" : "ran"} {duration(workOf(node, values))}</span>}
      {queued > 0 && <span className="figures">waited {duration(queued)} for {turnOf(node)}</span>}
      {/* The cost of an agent is that of its steps. */}
      {(node.creditsCost > 0 || !isAgent(node)) && <span className="figures">{credits(node.creditsCost)}</span>}
      {before && (
        <span>
          after{" "}
          <button type="button" className="as-link" onClick={() => onChoose(before.id)}>
            {before.id}
          </button>
        </span>
      )}
    </div>
  );
}

function absence(values: NodeValues, node: ExecutionNode, side: "input" | "output"): string {
  if (!values.recorded) return "Not kept: the workflow's recordValues says so.";
  if (node.status === "skipped") return "The node was skipped.";
  if (node.status === "failed" && side === "output") return "It failed, so there is none.";
  return "Nothing so far.";
}

function Sockets({ title, values, absent }: { title: string; values: Record<string, unknown> | null; absent: string }) {
  const entries = Object.entries(values ?? {});
  return (
    <section className="stack node-panel-part" aria-label={title}>
      <h3>{title}</h3>
      {entries.length === 0 && <p className="muted small">{values ? "None." : absent}</p>}
      {entries.length > 0 && (
        <dl className="outputs">
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <SocketValue name={name} value={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Attempts({ attempts }: { attempts: NodeAttempt[] }) {
  return (
    <section className="stack node-panel-part" aria-label="Attempts">
      <h3>Attempts</h3>
      <ol className="attempt-list">
        {attempts.map((each) => (
          <li key={each.number}>
            <span className="figures">
              {each.number}. <Moment at={each.startedAt} />
              <span className="muted">
                {each.endedAt
                  ? `, ran ${duration(Date.parse(each.endedAt) - Date.parse(each.startedAt))}`
                  : ", is running"}
                {each.queuedMs > 0 && `, waited ${duration(each.queuedMs)}`}
              </span>
            </span>
            <span className="muted">{each.worker && <code title="Worker">{each.worker}</code>}</span>
            {each.error && (
              <span className="fault">
                {each.error.code}: {each.error.message}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
