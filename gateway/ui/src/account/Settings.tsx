import { Tabs } from "../components/Tabs";
import { useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { AccountTab } from "./AccountTab";
import { LedgerTab } from "./LedgerTab";
import { SecretsTab } from "./SecretsTab";
import { SessionsTab } from "./SessionsTab";
import "./account.css";

const TABS = { account: "Account", ledger: "Ledger", secrets: "Secrets", sessions: "Sessions" } as const;
const NAMES = Object.entries(TABS) as [keyof typeof TABS, string][];

export default function Settings() {
  usePageTitle("Settings");
  const [tab, setTab] = useParameter("tab", "account");
  const shown = NAMES.find(([name]) => name === tab)?.[0] ?? "account";
  const choose = (label: string): void => setTab(NAMES.find(([, each]) => each === label)?.[0] ?? "account");
  return (
    <>
      <div className="page-head">
        <h1>Settings</h1>
      </div>
      <Tabs label="Settings" tabs={Object.values(TABS)} chosen={TABS[shown]} onChoose={choose}>
        {shown === "account" && <AccountTab />}
        {shown === "ledger" && <LedgerTab />}
        {shown === "secrets" && <SecretsTab />}
        {shown === "sessions" && <SessionsTab />}
      </Tabs>
    </>
  );
}
