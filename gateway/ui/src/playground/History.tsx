import { useResource } from "../api/resource";
import type { ExecutionRow, Page } from "../api/types";
import { RunBadge } from "../approvals/RunBadge";
import { useAsking } from "../approvals/useAsking";
import { Ago, credits, duration } from "../components/Ago";
import { Link } from "../shell/router";

interface Props {
  slug: string;
  shownId?: string;
  onShow: (execution: ExecutionRow) => void;
}

/** One's runs of the workflow, newest first. */
export function History({ slug, shownId, onShow }: Props) {
  const rows = useResource<Page<ExecutionRow>>(`/api/executions?workflowSlug=${slug}&limit=20`).data?.rows ?? [];
  const asking = useAsking();
  if (rows.length === 0) return null;
  return (
    <section className="stack history" aria-labelledby="history">
      <div className="row spread">
        <h2 id="history">Your runs</h2>
        <Link href={`/app/executions?workflowSlug=${slug}`}>All executions</Link>
      </div>
      <ul>
        {rows.map((row) => (
          <li key={row.executionId}>
            <button
              type="button"
              aria-current={row.executionId === shownId || undefined}
              onClick={() => onShow(row)}
            >
              <RunBadge status={row.status} isAsking={asking.has(row.executionId)} />
              <Ago at={row.createdAt} />
              <span className="muted figures">
                {row.durationMs !== null && `${duration(row.durationMs)}, `}
                {credits(row.creditsCost)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
