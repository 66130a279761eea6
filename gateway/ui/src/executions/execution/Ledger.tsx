import { LedgerTable } from "../../account/LedgerTable";
import { Link } from "../../shell/router";

/** The movements of credits of the run. */
export function Ledger({ executionId }: { executionId: string }) {
  return (
    <div className="stack">
      <LedgerTable path={`/api/ledger?executionId=${executionId}`} none="No credits were moved: the run costs nothing." />
      <p className="small">
        <Link href="/app/settings?tab=ledger">All movements of the account</Link>
      </p>
    </div>
  );
}
