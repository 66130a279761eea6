import type { Me, Use } from "../api/types";
import { credits } from "../components/Ago";
import { Failed, Loading } from "../components/States";
import { useMe } from "../shell/session";

/** The account, its credits and its limits. */
export function AccountTab() {
  const { data, error, reload } = useMe();
  if (data) return <Facts me={data} />;
  return error ? <Failed error={error} retry={reload} /> : <Loading />;
}

function Facts({ me }: { me: Me }) {
  const { user, limits } = me;
  const rows: [string, string][] = [
    ["Email", user.email],
    ["Account", user.id],
    ["Tier", user.tier],
    ["Role", user.role],
    ["Credits left", credits(me.credits.balance)],
    ["Of these, allowance", credits(me.credits.allowance)],
    ["Runs a minute", limits.runsPerMinute ? limits.runsPerMinute.limit.toLocaleString("en") : "no limit"],
    ["Runs at a time", used(limits.active, (count) => count.toLocaleString("en"))],
    ["Media", used(limits.media, megabytes)],
  ];
  return (
    <>
      {!user.approved && (
        <p className="note warn">An admin has not approved this account yet. Until then it reads, but runs and writes nothing.</p>
      )}
      <dl className="account-facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function used(use: Use | null, show: (count: number) => string): string {
  return use ? `${show(use.used)} of ${show(use.limit)}` : "no limit";
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
}
