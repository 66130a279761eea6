import { useMemo } from "react";
import { credits } from "../components/Ago";
import { Labelled } from "../components/Labelled";
import { RANGES, TimeRange } from "../components/TimeRange";
import { useParameter } from "../shell/router";
import { useMe } from "../shell/session";
import { KINDS, LedgerTable } from "./LedgerTable";

/** Credits of the account, and every movement of them. */
export function LedgerTab() {
  const balance = useMe().data?.credits;
  const [kind, setKind] = useParameter("kind", "");
  const [range] = useParameter("range", "");
  const [from] = useParameter("from", "");
  const [to] = useParameter("to", "");
  const path = useMemo(() => pathOf(kind, { range, from, to }, Date.now()), [kind, range, from, to]);
  return (
    <div className="stack">
      {balance && (
        <p>
          <strong>{credits(balance.balance)}</strong> left
          <span className="muted">, of which {credits(balance.allowance)} are what is left of the tier's allowance.</span>
        </p>
      )}
      <search className="filter-row">
        <Labelled label="Kind">
          {(id) => (
            <select id={id} className="input compact" value={kind} onChange={(event) => setKind(event.target.value)}>
              <option value="">All movements</option>
              {Object.keys(KINDS).map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Labelled>
        <TimeRange chosen={{ range, from, to }} any="Any time" />
      </search>
      <LedgerTable key={path} path={path} none="No credits were moved." hasLinks />
    </div>
  );
}

function pathOf(kind: string, { range, from, to }: Record<"range" | "from" | "to", string>, now: number): string {
  const length = RANGES[range]?.[1];
  const conditions = { kind, from: length ? new Date(now - length).toISOString() : from, to };
  const parameters = new URLSearchParams(Object.entries(conditions).filter(([, value]) => value !== ""));
  return `/api/ledger?${parameters}`;
}
