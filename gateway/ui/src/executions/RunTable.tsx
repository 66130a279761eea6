import { memo, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { RunBadge } from "../approvals/RunBadge";
import { duration, Moment } from "../components/Ago";
import { Link } from "../shell/router";
import { SOURCES } from "./filters";
import type { Row } from "./useRunList";
import { useAnchor, useWindow } from "./useWindow";

const ROW_PX = 44;
/** On phones a row has two lines. */
const PHONE_ROW_PX = 80;
const phone = matchMedia("(max-width: 48rem)");
/** Rows before the end at which the next page is fetched. */
const AHEAD = 200;

function useRowHeight(): number {
  return useSyncExternalStore(
    (notify) => (phone.addEventListener("change", notify), () => phone.removeEventListener("change", notify)),
    () => (phone.matches ? PHONE_ROW_PX : ROW_PX),
  );
}

interface Props {
  rows: Row[];
  /** Ids of those that wait for an answer. */
  asking: ReadonlySet<string>;
  hasMore: boolean;
  more: () => Promise<void>;
}

/** Executions, newest first. Only rows near the view are in the document. */
export function RunTable({ rows, asking, hasMore, more }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const height = useRowHeight();
  const [first, last] = useWindow(body, rows.length, height);
  const ids = useMemo(() => rows.map((row) => row.executionId), [rows]);
  useAnchor(body, ids, height);
  useEffect(() => {
    if (hasMore && last > rows.length - AHEAD) void more();
  }, [hasMore, last, rows.length, more]);
  return (
    <table
      className="runs"
      aria-label="Executions"
      aria-rowcount={hasMore ? -1 : rows.length + 1}
      style={{ "--row": `${height}px` } as React.CSSProperties}
    >
      <thead>
        <tr aria-rowindex={1}>
          <th scope="col">Status</th>
          <th scope="col">Workflow or model</th>
          <th scope="col">Started</th>
          <th scope="col" className="end">
            Time
          </th>
          <th scope="col" className="end">
            Credits
          </th>
          <th scope="col">Source</th>
          <th scope="col">Execution</th>
        </tr>
      </thead>
      <tbody ref={body}>
        <Space px={first * height} />
        {rows.slice(first, last).map((row, place) => (
          <RunRow key={row.executionId} row={row} isAsking={asking.has(row.executionId)} index={first + place + 2} />
        ))}
        <Space px={(rows.length - last) * height} />
      </tbody>
    </table>
  );
}

/** Room of rows that are not drawn. */
function Space({ px }: { px: number }) {
  return px > 0 ? <tr className="space" style={{ height: px }} aria-hidden="true" /> : null;
}

const RunRow = memo(function RunRow({ row, isAsking, index }: { row: Row; isAsking: boolean; index: number }) {
  return (
    <tr aria-rowindex={index}>
      <td className="run-status">
        <RunBadge status={row.status} isAsking={isAsking} />
      </td>
      <th scope="row" className="run-name">
        <span className="run-label">
          <Link href={`/app/executions/${row.executionId}`}>{nameOf(row)}</Link>
          {versionOf(row) !== null && (
            <span className="muted small">
              v{versionOf(row)}
              {row.alias && ` ${row.alias}`}
            </span>
          )}
          {row.tags.length > 0 && <Tags tags={row.tags} />}
          {row.error && <span className="fault">{row.error.message || row.error.code}</span>}
        </span>
      </th>
      <td className="muted small figures run-at">
        <Moment at={row.createdAt} />
      </td>
      <td className="end figures small run-time">{row.durationMs === null ? "–" : duration(row.durationMs)}</td>
      <td className="end figures small run-credits">{row.creditsCost.toLocaleString("en")}</td>
      <td className="muted small run-source">{SOURCES[row.source] ?? row.source}</td>
      <td className="run-id">
        <code title={row.executionId}>{row.executionId.slice(0, 8)}</code>
      </td>
    </tr>
  );
});

const SHOWN_TAGS = 2;

/** The first tags of a run, in one line. */
function Tags({ tags }: { tags: string[] }) {
  return (
    <span className="run-tags">
      {tags.slice(0, SHOWN_TAGS).map((tag) => (
        <span key={tag} className="badge" title={tag}>
          {tag}
        </span>
      ))}
      {tags.length > SHOWN_TAGS && <span className="muted small">+{tags.length - SHOWN_TAGS}</span>}
    </span>
  );
}

/** The version that ran; null for drafts, models and workflows of others. */
export function versionOf(row: Pick<Row, "workflowSlug" | "workflowVersion">): number | null {
  return row.workflowSlug === null ? null : row.workflowVersion;
}

/** The workflow or the model of an execution. */
export function nameOf(row: Pick<Row, "workflowSlug" | "modelIds" | "source">): string {
  // A draft has the name of its workflow; without one, the editor has listed the tools of a server.
  return row.workflowSlug ?? row.modelIds[0] ?? (row.source === "app-draft" ? "List of tools" : "Deleted workflow");
}
