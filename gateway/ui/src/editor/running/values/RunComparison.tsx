import { useState } from "react";
import { useResource } from "../../../api/resource";
import type { ExecutionDetail, ExecutionNode, NodeValues } from "../../../api/types";
import { credits, duration } from "../../../components/Ago";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { useOutputs } from "./OutputPreview";
import { RunChoice } from "../RunChoice";
import { useRecent, useRecorded } from "../recent";
import { useRunning, useRuns } from "../runs";
import { SocketValue } from "./SocketValue";
import { unlinked, valuesPath } from "./values";

/** Two runs beside each other: status, time, cost and outputs of each node, differences marked. */
export function RunComparison() {
  const runs = useRuns();
  const isOpen = useRunning((running) => running.isComparing);
  if (!isOpen) return null;
  return (
    <Dialog title="Compare two runs" onClose={() => runs.set({ isComparing: false })} isWide>
      <Comparison />
    </Dialog>
  );
}

function Comparison() {
  const runs = useRuns();
  const recent = useRecent();
  const shown = useRunning(({ run }) => run?.executionId);
  // The later one stands on the right.
  const [second, setSecond] = useState(() => shown ?? recent[0]?.executionId ?? "");
  const [first, setFirst] = useState(() => recent.find((each) => each.executionId !== second)?.executionId ?? "");
  const a = useRecorded(first);
  const b = useRecorded(second);
  return (
    <div className="run-comparison stack">
      <div className="run-choices">
        <RunChoice label="Run A" runs={recent} chosen={first} onChoose={setFirst} />
        <RunChoice label="Run B" runs={recent} chosen={second} onChoose={setSecond} />
        <Button isCompact onClick={() => runs.set({ isComparing: false })}>
          Close
        </Button>
      </div>
      {a && b && <Table a={a} b={b} />}
    </div>
  );
}

function Table({ a, b }: { a: ExecutionDetail; b: ExecutionDetail }) {
  const ids = [...new Set([...a.nodes, ...b.nodes].map((node) => node.id))];
  const nodeOf = (execution: ExecutionDetail, id: string) => execution.nodes.find((node) => node.id === id);
  return (
    <div className="table-frame" tabIndex={0} role="region" aria-label="Nodes of both runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Status</th>
            <th scope="col">Time, A and B</th>
            <th scope="col">Cost, A and B</th>
            <th scope="col">Outputs</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">The whole run</th>
            <Figures a={a} b={b} />
            <td />
          </tr>
          {ids.map((id) => (
            <Row key={id} id={id} runs={[a.executionId, b.executionId]} a={nodeOf(a, id)} b={nodeOf(b, id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Measured = Pick<ExecutionNode | ExecutionDetail, "status" | "durationMs" | "creditsCost">;

function Figures({ a, b }: { a: Measured | undefined; b: Measured | undefined }) {
  const time = (of: Measured | undefined) => (typeof of?.durationMs === "number" ? duration(of.durationMs) : "–");
  const cost = (of: Measured | undefined) => (of ? credits(of.creditsCost) : "–");
  return (
    <>
      <Pair a={a?.status ?? "not there"} b={b?.status ?? "not there"} />
      <td className="figures">
        {time(a)}, {time(b)}
        <Change by={a?.durationMs} to={b?.durationMs} />
      </td>
      <Pair a={cost(a)} b={cost(b)} />
    </>
  );
}

/** Two words, or the one that both have. */
function Pair({ a, b }: { a: string; b: string }) {
  if (a === b) return <td>{a}</td>;
  return (
    <td className="differs">
      {a}, {b}
    </td>
  );
}

const SMALLEST_MS = 100;

/** By how much the second time is more or less, where that is worth a word. */
function Change({ by, to }: { by: number | null | undefined; to: number | null | undefined }) {
  if (typeof by !== "number" || typeof to !== "number" || Math.abs(to - by) < SMALLEST_MS) return null;
  return (
    <div className="mark">
      {duration(Math.abs(to - by))} {to > by ? "more" : "less"}
    </div>
  );
}

interface RowProps {
  id: string;
  runs: [string, string];
  a: ExecutionNode | undefined;
  b: ExecutionNode | undefined;
}

function Row({ id, runs, a, b }: RowProps) {
  const [isOpen, setOpen] = useState(false);
  const values = [useValues(runs[0], a), useValues(runs[1], b)];
  const verdict = compare(values);
  return (
    <>
      <tr>
        <th scope="row">{id}</th>
        <Figures a={a} b={b} />
        <td className={verdict === "differ" ? "differs" : undefined}>
          {verdict}{" "}
          {verdict !== "none" && (
            <button type="button" className="as-link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {isOpen ? "Hide" : "Show"}
            </button>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={5}>
            <div className="two-values">
              {values.map((each, place) => (
                <Outputs
                  key={runs[place]}
                  name={place ? "B" : "A"}
                  id={id}
                  type={(a ?? b)?.type ?? ""}
                  values={each?.outputs ?? null}
                />
              ))}
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

function useValues(executionId: string, node: ExecutionNode | undefined): NodeValues | undefined {
  return useResource<NodeValues>(node?.status === "completed" ? valuesPath(executionId, node.id) : null).data;
}

function compare(values: (NodeValues | undefined)[]): "same" | "differ" | "none" {
  const [a, b] = values.map((each) => each?.outputs && JSON.stringify(unlinked(each.outputs, each.assets)));
  if (!a && !b) return "none";
  return a === b ? "same" : "differ";
}

interface OutputsProps {
  name: string;
  id: string;
  type: string;
  values: Record<string, unknown> | null;
}

function Outputs({ name, id, type, values }: OutputsProps) {
  const sockets = useOutputs(id, type);
  return (
    <section aria-label={`Outputs in run ${name}`}>
      <h3>Run {name}</h3>
      {values === null && <p className="muted">Nothing.</p>}
      <dl className="outputs">
        {Object.entries(values ?? {}).map(([socket, value]) => (
          <div key={socket}>
            <dt>{socket}</dt>
            <dd>
              <SocketValue name={socket} value={value} socket={sockets.find((each) => each.name === socket)?.type} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
