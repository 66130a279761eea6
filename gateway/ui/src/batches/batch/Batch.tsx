import { useEffect } from "react";
import { type Batch as BatchFacts, batchPath, isLiveBatch } from "../../api/batches";
import { invalidate, useResource } from "../../api/resource";
import { Failed, Loading } from "../../components/States";
import { Link } from "../../shell/router";
import { usePageTitle } from "../../shell/Shell";
import { useRenewal } from "../../api/renewal";
import { Header } from "./Header";
import { Items } from "./Items";
import "../../executions/execution/execution.css";
import "../../executions/executions.css";
import "../batches.css";

/** One batch: its progress, its actions and its items. */
export default function Batch({ id }: { id: string }) {
  const path = batchPath(id);
  const { data, error, reload } = useResource<BatchFacts>(path);
  const isLive = data !== undefined && isLiveBatch(data);
  usePageTitle(data ? `Batch of ${data.workflowSlug}, ${data.status}` : "Batch");
  useRenewal(path, isLive);
  // Items may have been read before the last of them ended.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the status changes
  useEffect(() => invalidate(`${path}/items`), [path, data?.status]);
  return (
    <>
      <p className="back">
        <Link href="/app/batches">Batches</Link>
      </p>
      {data && (
        <div className="stack execution">
          <Header batch={data} />
          <Items batch={data} />
        </div>
      )}
      {!data && <h1>Batch {id.slice(0, 8)}</h1>}
      {!data && (error ? error.status === 404 ? <Missing /> : <Failed error={error} retry={reload} /> : <Loading height="24rem" />)}
    </>
  );
}

function Missing() {
  return (
    <div className="state">
      <h2>There is no such batch</h2>
      <p>Its id is wrong, it belongs to another account, or it is not kept any more.</p>
    </div>
  );
}
