import { useDeferredValue, useId, useState } from "react";
import { call } from "../api/client";
import { usePages } from "../api/pages";
import { ACCOUNTS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { Account, Tier } from "../api/types";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { toast } from "../components/Toast";
import { TIERS } from "../models/facts";
import { CreateAccount } from "./CreateAccount";
import { Credit } from "./Credit";
import { LoginLink } from "./LoginLink";

type Asked = { kind: "credit" | "link"; account: Account } | { kind: "create" };

export function Accounts({ own }: { own: string }) {
  const id = useId();
  const [sought, setSought] = useState("");
  const query = useDeferredValue(sought.trim());
  const path = query ? `${ACCOUNTS}?q=${encodeURIComponent(query)}` : ACCOUNTS;
  const { rows, error, reload, more } = usePages<Account>(path);
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = (): void => setAsked(null);
  return (
    <div className="stack">
      <div className="row spread">
        <label htmlFor={id} className="hidden-visually">
          Search by e-mail address
        </label>
        <input
          id={id}
          type="search"
          className="input account-search"
          placeholder="Search by e-mail address"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
        <Button look="primary" onClick={() => setAsked({ kind: "create" })}>
          Create account
        </Button>
      </div>
      {error && !rows && <Failed error={error} retry={reload} />}
      {!rows && !error && <Loading />}
      {rows?.length === 0 && <Empty title={query ? "No account matches" : "No accounts"} />}
      {rows && rows.length > 0 && (
        <div className="table-frame">
          <table className="stacked">
            <thead>
              <tr>
                <th scope="col">Account</th>
                <th scope="col">Tier</th>
                <th scope="col">Role</th>
                <th scope="col">Credits</th>
                <th scope="col">Since</th>
                <th scope="col" className="end">
                  <span className="hidden-visually">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((account) => (
                <Row key={account.id} account={account} isOwn={account.id === own} onAsk={setAsked} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more && <Button onClick={() => void more()}>Show more</Button>}
      {asked?.kind === "create" && <CreateAccount onClose={close} />}
      {asked?.kind === "credit" && <Credit account={asked.account} onClose={close} />}
      {asked?.kind === "link" && <LoginLink account={asked.account} onClose={close} />}
    </div>
  );
}

/** Change an account; a refusal, such as that of the last admin, is shown. */
async function change(account: Account, members: Partial<Pick<Account, "approved" | "tier" | "role">>): Promise<void> {
  try {
    await call("PATCH", `${ACCOUNTS}/${account.id}`, members);
    toast(`Changed ${account.email}`);
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate("/api/admin/");
  invalidate("/api/me");
}

function Row({ account, isOwn, onAsk }: { account: Account; isOwn: boolean; onAsk: (asked: Asked) => void }) {
  const { email } = account;
  return (
    <tr>
      <th scope="row">
        {email} {isOwn && <span className="badge">You</span>}
        {!account.approved && <span className="badge warn">Not approved</span>}
        <span className="hint account-id">{account.id}</span>
      </th>
      <td data-label="Tier">
        <Choice
          label={`Tier of ${email}`}
          options={TIERS}
          value={account.tier}
          onChoose={(tier) => void change(account, { tier: tier as Tier })}
        />
      </td>
      <td data-label="Role">
        <Choice
          label={`Role of ${email}`}
          options={["user", "admin"]}
          value={account.role}
          onChoose={(role) => void change(account, { role: role as Account["role"] })}
        />
      </td>
      <td className="figures" data-label="Credits">
        {account.credits.balance.toLocaleString("en")}
      </td>
      <td className="muted small" data-label="Since">
        <Ago at={account.createdAt} />
      </td>
      <td className="end actions-cell">
        {account.approved ? (
          <Button look="quiet" isCompact isDanger onClick={() => void change(account, { approved: false })}>
            Suspend
          </Button>
        ) : (
          <Button isCompact onClick={() => void change(account, { approved: true })}>
            Approve
          </Button>
        )}
        <Button look="quiet" isCompact onClick={() => onAsk({ kind: "credit", account })}>
          Credit
        </Button>
        <Button look="quiet" isCompact onClick={() => onAsk({ kind: "link", account })}>
          Login link
        </Button>
      </td>
    </tr>
  );
}

interface ChoiceProps {
  label: string;
  options: string[];
  value: string;
  onChoose: (option: string) => void;
}

function Choice({ label, options, value, onChoose }: ChoiceProps) {
  return (
    <select className="input compact" aria-label={label} value={value} onChange={(event) => onChoose(event.target.value)}>
      {options.map((option) => (
        <option key={option}>{option}</option>
      ))}
    </select>
  );
}
