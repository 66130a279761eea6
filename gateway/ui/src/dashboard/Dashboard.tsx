import { useState } from "react";
import { KEYS } from "../api/paths";
import { useResource } from "../api/resource";
import type { ApiKey } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { useMe } from "../shell/session";
import { CreateKey } from "./CreateKey";
import { KeyTable } from "./KeyTable";
import { Limits } from "./Limits";
import { WebhookTab } from "./WebhookTab";
import "./dashboard.css";

const TABS: Record<string, string> = { keys: "Keys", webhook: "Webhook" };

export default function Dashboard() {
  usePageTitle("API keys");
  const me = useMe().data;
  const keys = useResource<ApiKey[]>(KEYS);
  const [tab, setTab] = useParameter("tab", "keys");
  const [isCreating, setCreating] = useState(false);
  const hasKeys = me ? me.ceiling.length > 0 : true;
  const shown = tab in TABS ? tab : "keys";
  const choose = (name: string): void => setTab(name === "Webhook" ? "webhook" : "keys");
  return (
    <>
      <div className="page-head">
        <div>
          <h1>API keys</h1>
          <p>A key lets a program call your workflows. It is shown once, when it is made.</p>
          {me && <Limits limits={me.limits} />}
        </div>
        {me && (
          <Button look="primary" disabled={!hasKeys} onClick={() => setCreating(true)}>
            Create key
          </Button>
        )}
      </div>
      {me && !hasKeys && (
        <p className="note warn">Accounts of the {me.user.tier} tier have no keys; they run workflows in the playground.</p>
      )}
      {keys.error && !keys.data && <Failed error={keys.error} retry={keys.reload} />}
      {keys.isLoading && !keys.data && <Loading />}
      {keys.data && (
        <Tabs label="API keys" tabs={Object.values(TABS)} chosen={TABS[shown] as string} onChoose={choose}>
          {shown === "webhook" && <WebhookTab keys={keys.data} />}
          {shown === "keys" && keys.data.length === 0 && (
            <Empty title="No keys yet">
              <p>Create one, put it into your program's environment, and call a workflow.</p>
            </Empty>
          )}
          {shown === "keys" && keys.data.length > 0 && <KeyTable keys={keys.data} />}
        </Tabs>
      )}
      {isCreating && me && <CreateKey me={me} onClose={() => setCreating(false)} />}
    </>
  );
}
