import { useEffect, useState } from "react";
import { useAsking } from "../approvals/useAsking";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { usePageTitle } from "../shell/Shell";
import { Link } from "../shell/router";
import { CancelMany } from "./CancelMany";
import { FilterBar } from "./Filters";
import { type Filters, isFiltered, statusesOf, useFilters } from "./filters";
import { ReplayButton } from "./replays/ReplayButton";
import { RunTable } from "./RunTable";
import { useRunList } from "./useRunList";
import "./executions.css";

/** The account's executions. */
export default function Executions() {
  usePageTitle("Executions");
  const { filters, query } = useFilters();
  const [isCancelling, setCancelling] = useState(false);
  const statuses = statusesOf(filters);
  const mayRun = statuses.length === 0 || statuses.includes("processing");
  return (
    <>
      <div className="page-head">
        <h1>Executions</h1>
        <div className="row">
          <Link href="/app/replays">Replays</Link>
          {filters.workflowSlug && <ReplayButton slug={filters.workflowSlug} query={query} />}
          {mayRun && <Button onClick={() => setCancelling(true)}>Cancel running…</Button>}
        </div>
      </div>
      <FilterBar filters={filters} />
      <List key={query} query={query} filters={filters} />
      {isCancelling && <CancelMany filters={filters} onClose={() => setCancelling(false)} />}
    </>
  );
}

function List({ query, filters }: { query: string; filters: Filters }) {
  const { rows, hasMore, error, reload, more } = useRunList(query, statusesOf(filters));
  const asking = useAsking();
  if (!rows) return error ? <Failed error={error} retry={reload} /> : <Loading height="24rem" />;
  if (rows.length === 0 && hasMore && !error) return <Search more={more} />;
  if (rows.length === 0) {
    return isFiltered(filters) ? (
      <Empty title="No execution matches">
        <p>Take a filter away, or choose a longer time.</p>
      </Empty>
    ) : (
      <Empty title="Nothing has run yet">
        <p>Each run of a workflow or a model is listed here, from the playground, the editor and your programs.</p>
      </Empty>
    );
  }
  return (
    <>
      <RunTable rows={rows} asking={asking} hasMore={hasMore} more={more} />
      <div className="muted small list-end">
        {!error && (hasMore ? "Older ones come as you scroll." : `${rows.length.toLocaleString("en")} shown, no older ones.`)}
        {error && (
          <p className="row" role="alert">
            {error.message}
            <Button isCompact onClick={() => void more()}>
              Try again
            </Button>
          </p>
        )}
      </div>
    </>
  );
}

/** A page may hold no match while older ones do. */
function Search({ more }: { more: () => Promise<void> }) {
  useEffect(() => void more(), [more]);
  return <Loading height="24rem" />;
}
