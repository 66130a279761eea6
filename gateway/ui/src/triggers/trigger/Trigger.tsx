import { useEffect, useState } from "react";
import { useReload } from "../../api/renewal";
import { invalidate, useResource } from "../../api/resource";
import { type Trigger as TriggerFacts, triggerPath } from "../../api/triggers";
import { Failed, Loading } from "../../components/States";
import { Tabs } from "../../components/Tabs";
import { Link, useParameter } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { Connect } from "../hook/Connect";
import { Header } from "./Header";
import { Occurrences } from "./Occurrences";
import { Settings } from "./Settings";
import "../../executions/execution/execution.css";
import "../../executions/executions.css";
import "../triggers.css";

const RENEW_MS = 3_000;
const TABS = { occurrences: "Occurrences", connect: "Connect", settings: "Settings" } as const;
type Tab = keyof typeof TABS;

/** One trigger: its facts, its occurrences and its settings. */
export default function Trigger({ id }: { id: string }) {
  const path = triggerPath(id);
  const { data: read, error, reload } = useResource<TriggerFacts>(path);
  const isMissing = error?.status === 404;
  // The last answer about a trigger that others have deleted is no longer true.
  const data = isMissing ? undefined : read;
  useReload(() => isMissing || reload(), RENEW_MS);
  const newest = data?.lastOccurrence?.id;
  // The list is read again when there is a new one: it may reach into the history.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when there is a new occurrence
  useEffect(() => invalidate(`${path}/occurrences`), [path, newest]);
  usePageTitle(data?.name ?? "Trigger");
  return (
    <>
      <p className="back">
        <Link href="/app/triggers">Triggers</Link>
      </p>
      {data && (
        <div className="stack execution">
          <Header trigger={data} />
          <Parts trigger={data} />
        </div>
      )}
      {!data && (
        <div className="page-head">
          <h1>Trigger {id}</h1>
        </div>
      )}
      {!data && (error ? isMissing ? <Missing /> : <Failed error={error} retry={reload} /> : <Loading height="24rem" />)}
    </>
  );
}

function Parts({ trigger }: { trigger: TriggerFacts }) {
  const [tab, setTab] = useParameter("tab", "occurrences");
  const tabs = (Object.keys(TABS) as Tab[]).filter((each) => each !== "connect" || trigger.kind === "webhook");
  const chosen = tabs.find((each) => each === tab) ?? "occurrences";
  const isSettings = chosen === "settings";
  const [wasOpened, setOpened] = useState(false);
  if (isSettings && !wasOpened) setOpened(true);
  const choose = (name: string): void => setTab(tabs.find((each) => TABS[each] === name) ?? "");
  return (
    <Tabs label="Parts of the trigger" tabs={tabs.map((each) => TABS[each])} chosen={TABS[chosen]} onChoose={choose}>
      {chosen === "occurrences" && <Occurrences trigger={trigger} />}
      {chosen === "connect" && trigger.kind === "webhook" && <Connect trigger={trigger} />}
      {/* Values that are typed stay while another part is shown, such as that of a new URL. */}
      {wasOpened && (
        <div hidden={!isSettings}>
          <Settings trigger={trigger} />
        </div>
      )}
    </Tabs>
  );
}

function Missing() {
  return (
    <div className="state">
      <h2>There is no such trigger</h2>
      <p>Its id is wrong, it belongs to another account, or it was deleted. Its executions stay in the history.</p>
    </div>
  );
}
