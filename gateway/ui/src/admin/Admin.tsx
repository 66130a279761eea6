import { Tabs } from "../components/Tabs";
import { useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { useMe } from "../shell/session";
import { Accounts } from "./Accounts";
import { AuditLog } from "./AuditLog";
import { Installation } from "./Installation";
import "./admin.css";

const TABS = { accounts: "Accounts", audit: "Audit log", installation: "Installation" } as const;
const NAMES = Object.entries(TABS) as [keyof typeof TABS, string][];

/** Accounts, the audit log and the state of the installation, for admins. */
export default function Admin() {
  usePageTitle("Administration");
  const me = useMe().data;
  const [tab, setTab] = useParameter("tab", "accounts");
  const shown = NAMES.find(([name]) => name === tab)?.[0] ?? "accounts";
  const choose = (label: string): void => setTab(NAMES.find(([, each]) => each === label)?.[0] ?? "accounts");
  return (
    <>
      <div className="page-head">
        <h1>Administration</h1>
      </div>
      {me && me.user.role !== "admin" && <p className="note warn">Only admins manage this installation.</p>}
      {me?.user.role === "admin" && (
        <Tabs label="Administration" tabs={Object.values(TABS)} chosen={TABS[shown]} onChoose={choose}>
          {shown === "accounts" && <Accounts own={me.user.id} />}
          {shown === "audit" && <AuditLog />}
          {shown === "installation" && <Installation />}
        </Tabs>
      )}
    </>
  );
}
