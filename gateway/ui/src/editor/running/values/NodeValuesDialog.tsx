import { useEffect, useState } from "react";
import { useResource } from "../../../api/resource";
import type { ExecutionDetail, ExecutionNode, NodeValues } from "../../../api/types";
import { childrenOf } from "../../../children/children";
import { credits, duration } from "../../../components/Ago";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { type Socket, useCatalogue } from "../../catalogue/catalogue";
import { useDocument, useEditor, useStore } from "../../document/store";
import { SettingsPanel } from "../../settings/SettingsPanel";
import { NodeItems } from "../children/NodeItems";
import { NodeActions } from "../NodeActions";
import { PinnedOutputs } from "./PinnedOutputs";
import { isPinned } from "./pins";
import { RunChoice } from "../RunChoice";
import { useRecent, useRecorded } from "../recent";
import { useNodeRun, useRunning, useRuns } from "../runs";
import { SocketValue } from "./SocketValue";
import { StatusIcon, statusOf, wordOf } from "../status";
import { valuesPath } from "./values";

/** Input, settings and output of one node side by side, with the values of a run. */
export function NodeValuesDialog() {
  const runs = useRuns();
  const id = useRunning((running) => running.inspected);
  const node = useDocument().nodes.find((each) => each.id === id);
  const label = useCatalogue()?.get(node?.type ?? "")?.label ?? node?.type;
  if (!node) return null;
  return (
    <Dialog title={`${label} ${node.id}`} onClose={() => runs.set({ inspected: null })} isWide>
      <Values id={node.id} key={node.id} />
    </Dialog>
  );
}

function Values({ id }: { id: string }) {
  const store = useStore();
  const runs = useRuns();
  const recent = useRecent();
  const shown = useRunning(({ run }) => run?.executionId);
  const [chosen, choose] = useState<string | null>(null);
  const executionId = chosen ?? shown ?? recent[0]?.executionId;
  const execution = useRecorded(executionId);
  const recorded = execution?.nodes.find((each) => each.id === id);
  const node = useDocument().nodes.find((each) => each.id === id);
  const live = useNodeRun(id)?.children;
  const children = (executionId === shown && live) || (recorded && childrenOf(recorded));
  const values = useNodeValues(id, recorded && executionId);
  const sockets = useEditor(({ check }) => check.sockets[id]);
  const pinned = useEditor(({ history }) => isPinned(history.present, id));
  // The settings are those of the selected node.
  useEffect(() => store.select([id]), [store, id]);
  return (
    <>
      <div className="node-values-bar">
        {executionId && <RunChoice label="Values of" runs={recent} chosen={executionId} onChoose={choose} />}
        <NodeActions ids={[id]} executionId={executionId} isInDialog />
        <Button isCompact onClick={() => runs.set({ inspected: null })}>
          Close
        </Button>
      </div>
      {execution && <Facts node={recorded} values={values} />}
      {node && executionId && children && <NodeItems node={node} executionId={executionId} found={children} />}
      <div className="node-values-columns">
        <section aria-label="Input">
          <h3>Input</h3>
          <Sockets values={values?.inputs} sockets={sockets?.inputs} absent={absence(execution, recorded, values)} />
        </section>
        <section aria-label="Settings">
          <h3>Settings</h3>
          <SettingsPanel />
        </section>
        <section aria-label="Output">
          <h3>Output</h3>
          {pinned && <PinnedOutputs id={id} />}
          {recorded?.error && <p className="note bad">{recorded.error.message}</p>}
          <Sockets values={values?.outputs} sockets={sockets?.outputs} absent={absence(execution, recorded, values)} />
        </section>
      </div>
    </>
  );
}

/** The values of a node, read again when it goes on in the run that is shown. */
function useNodeValues(id: string, executionId: string | undefined): NodeValues | undefined {
  const { data, reload } = useResource<NodeValues>(executionId ? valuesPath(executionId, id) : null);
  const status = useNodeRun(id)?.status;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (executionId && status && status !== "running") reload();
  }, [status, executionId]);
  return data;
}

const NOT_RUN = "The node did not run: its outputs were pinned, or are those of an earlier run.";

function absence(
  execution: ExecutionDetail | undefined,
  node: ExecutionNode | undefined,
  values: NodeValues | undefined,
): string {
  if (!execution) return "Run the workflow to see values here.";
  if (!node) return "This run did not have the node.";
  if (values?.recorded === false) return "The values of this run were not kept.";
  if (node.status === "completed" && node.attempts === 0) return NOT_RUN;
  return node.status === "skipped" ? "The node was skipped." : "Nothing so far.";
}

function Facts({ node, values }: { node: ExecutionNode | undefined; values: NodeValues | undefined }) {
  if (!node) return null;
  const status = statusOf(node, false);
  const attempts = values?.attempts ?? [];
  const failed = attempts.filter((each) => each.error && each.number < attempts.length);
  return (
    <div className="node-values-facts">
      {status && (
        <span className={`node-run-line ${status}`}>
          <StatusIcon status={status} /> {wordOf(status)}
        </span>
      )}
      {node.durationMs !== null && <span>{duration(node.durationMs)}</span>}
      <span>{credits(node.creditsCost)}</span>
      {attempts.length > 1 && <span>{attempts.length} attempts</span>}
      {failed.map((each) => (
        <span key={each.number}>
          {each.number}: {each.error?.message}
        </span>
      ))}
    </div>
  );
}

interface SocketsProps {
  values: Record<string, unknown> | null | undefined;
  sockets: Socket[] | undefined;
  absent: string;
}

function Sockets({ values, sockets = [], absent }: SocketsProps) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return <p className="muted">{values && absent !== NOT_RUN ? "None." : absent}</p>;
  return (
    <dl className="outputs">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <SocketValue name={name} value={value} socket={sockets.find((each) => each.name === name)?.type} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
