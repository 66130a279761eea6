import { useEffect } from "react";
import { useResource } from "../../api/resource";
import type { ExecutionDetail } from "../../api/types";
import { Failed, Loading } from "../../components/States";
import { isAgent } from "../../children/steps/steps";
import { Tabs } from "../../components/Tabs";
import { Result } from "../../playground/Result";
import { Link, setParameters, useParameter } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { listAddress } from "../filters";
import { nameOf } from "../RunTable";
import { Deliveries } from "./Deliveries";
import { EventList } from "./EventList";
import { Header } from "./Header";
import { Inputs } from "./Inputs";
import { Ledger } from "./Ledger";
import { BackToParent } from "./Parent";
import { NodePanel } from "./NodePanel";
import { Repeat } from "./Repeat";
import { executionPath, isLive } from "./state";
import { useEvents } from "./useEvents";
import { Answers } from "./waits/Answers";
import { WaitList } from "./waits/WaitList";
import { Waterfall } from "./Waterfall";
import "../../editor/running/running.css";
import "../../playground/playground.css";
import "./execution.css";

const TABS = {
  result: "Result",
  inputs: "Inputs",
  deliveries: "Deliveries",
  ledger: "Credits",
  events: "Events",
  call: "Call",
} as const;
const NAMES = Object.entries(TABS) as [keyof typeof TABS, string][];
/** In the address: no node, though one has failed. */
const NO_NODE = "-";

export default function Execution({ id }: { id: string }) {
  const { data, error, reload } = useResource<ExecutionDetail>(executionPath(id));
  usePageTitle(data ? `${nameOf(data)}, ${data.status}` : "Execution");
  return (
    <>
      <p className="back">
        {data?.parentId ? <BackToParent execution={data} /> : <Link href={listAddress()}>Executions</Link>}
      </p>
      {data && <Found execution={data} reload={reload} />}
      {!data && <h1>Execution {id.slice(0, 8)}</h1>}
      {!data && (error ? error.status === 404 ? <Missing /> : <Failed error={error} retry={reload} /> : <Loading height="24rem" />)}
    </>
  );
}

function Missing() {
  return (
    <div className="state">
      <h2>There is no such execution</h2>
      <p>Its id is wrong, it belongs to another account, or it is not kept any more.</p>
    </div>
  );
}

function Found({ execution, reload }: { execution: ExecutionDetail; reload: () => void }) {
  const [tab, setTab] = useParameter("tab", "result");
  const shown = NAMES.find(([name]) => name === tab)?.[0] ?? "result";
  const choose = (label: string): void => setTab(NAMES.find(([, each]) => each === label)?.[0] ?? "result");
  const events = useEvents(execution.executionId, isLive(execution) || shown === "events", () => isLive(execution) && reload(), execution.nodes.some(isAgent));
  return (
    <div className="stack execution">
      <Header execution={execution} />
      <WaitList execution={execution} />
      <Answers execution={execution} />
      <Nodes execution={execution} />
      <Tabs label="Details" tabs={Object.values(TABS)} chosen={TABS[shown]} onChoose={choose}>
        {shown === "result" && <Outcome execution={execution} />}
        {shown === "inputs" && <Inputs execution={execution} />}
        {shown === "deliveries" && <Deliveries execution={execution} />}
        {shown === "ledger" && <Ledger executionId={execution.executionId} />}
        {shown === "events" && <EventList found={events} />}
        {shown === "call" && <Repeat execution={execution} />}
      </Tabs>
    </div>
  );
}

/** The nodes in time, and beside them the one that is chosen: at first the one that failed. */
function Nodes({ execution }: { execution: ExecutionDetail }) {
  const [chosen] = useParameter("node", execution.error?.nodeId ?? "");
  const node = execution.nodes.find((each) => each.id === chosen);
  const choose = (nodeId: string): void => setParameters({ node: nodeId });
  const close = (): void => setParameters({ node: execution.error?.nodeId ? NO_NODE : "" });
  const isOpen = node !== undefined;
  useEffect(() => {
    if (!isOpen) return undefined;
    const hear = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) close();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  });
  if (execution.nodes.length === 0) {
    return <p className="note">The nodes of this run are not shown: its workflow is deleted, or belongs to another account.</p>;
  }
  return (
    <div className={isOpen ? "nodes with-panel" : "nodes"}>
      <Waterfall execution={execution} chosen={node?.id} onChoose={choose} />
      {node && <NodePanel key={node.id} execution={execution} node={node} onChoose={choose} onClose={close} />}
    </div>
  );
}

function Outcome({ execution }: { execution: ExecutionDetail }) {
  if (isLive(execution)) return <p className="muted">The result appears here when the run has ended.</p>;
  if (execution.result !== null) return <Result value={execution.result} />;
  return <p className="muted">{execution.status === "completed" ? "The run gave nothing, or its result is not kept any more." : "There is no result."}</p>;
}
