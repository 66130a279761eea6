import { type RefObject, useEffect, useRef, useState } from "react";
import { ApiError, call } from "../api/client";
import { WORKFLOWS } from "../api/paths";
import { releasesAddress } from "../api/releases";
import { invalidate, replaceAnswer, useResource } from "../api/resource";
import type { Workflow, WorkflowRow } from "../api/types";
import { Ago, credits } from "../components/Ago";
import { Button } from "../components/Button";
import { CopyButton } from "../components/CopyButton";
import { toast } from "../components/Toast";
import { type Need, needsOf, unmet } from "../requirements/requirements";
import { useSurroundings } from "../requirements/surroundings";
import { Unmet, wordFor } from "../requirements/Unmet";
import { Link } from "../shell/router";
import { Cover } from "./Cover";
import { callsInWords, duplicate } from "./duplicate";

/** Slugs of deleted workflows: a list that was asked for before still has them. */
export const deleted = new Set<string>();

async function remove(row: WorkflowRow, isForced = false): Promise<void> {
  deleted.add(row.slug);
  replaceAnswer<WorkflowRow[]>(WORKFLOWS, (rows) => [...rows]);
  try {
    await call("DELETE", `${WORKFLOWS}/${row.slug}${isForced ? "?force=true" : ""}`);
    toast(`Deleted "${row.name}"`, { label: "Undo", run: () => void restore(row) });
  } catch (error) {
    deleted.delete(row.slug);
    const users = error instanceof ApiError && error.code === "WORKFLOW_IN_USE" ? (error.details.usedBy as string[]) : null;
    if (users) toast(`"${row.name}" is called by ${users.join(", ")}`, { label: "Delete anyway", run: () => void remove(row, true) });
    else toast((error as Error).message);
  }
  invalidate(WORKFLOWS);
}

async function restore(row: WorkflowRow): Promise<void> {
  try {
    await call("POST", `${WORKFLOWS}/${row.slug}/restore`);
    deleted.delete(row.slug);
    toast(`"${row.name}" is back`);
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(WORKFLOWS);
}

async function setArchived(row: WorkflowRow, archived: boolean): Promise<void> {
  const undo = { label: "Undo", run: () => void setArchived(row, !archived) };
  try {
    await call("PUT", `${WORKFLOWS}/${row.slug}`, { archived });
    toast(archived ? `Archived "${row.name}"` : `"${row.name}" is back`, archived ? undo : undefined);
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(WORKFLOWS);
}

async function copy(row: WorkflowRow): Promise<void> {
  try {
    const made = await duplicate(row.slug, `${row.name} copy`);
    toast([`Made "${made.name}"`, callsInWords(made)].filter(Boolean).join(". "));
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(WORKFLOWS);
}

export function WorkflowCard({ row }: { row: WorkflowRow }) {
  const endpoint = `${WORKFLOWS}/${row.slug}/run`;
  const heading = `workflow-${row.slug}`;
  const place = useRef<HTMLLIElement>(null);
  const graph = useResource<Workflow>(useSeen(place) ? `${WORKFLOWS}/${row.slug}` : null).data;
  const around = useSurroundings();
  const missing = graph && around ? unmet(needsOf(graph, around)) : [];
  return (
    <li ref={place}>
      <article className="card" aria-labelledby={heading}>
        <Link href={`/app/playground/${row.slug}`} className="picture graph" tabIndex={-1} aria-hidden="true">
          <Cover url={row.coverUrl} graph={graph} />
        </Link>
        <div className="card-body">
          <div className="row spread">
            <h2 id={heading}>
              <Link href={`/app/playground/${row.slug}`}>{row.name}</Link>
            </h2>
            <State row={row} missing={missing} />
          </div>
          <p className="description">{row.description || "No description."}</p>
          {missing.length > 0 && (
            <p className="unmet small">
              <Unmet needs={missing} />
            </p>
          )}
          <div className="endpoint">
            <code title={endpoint}>
              {endpoint}
            </code>
            <CopyButton text={location.origin + endpoint} name="Copy endpoint" />
          </div>
          <div className="row spread small muted">
            <LastRunText row={row} />
            <span className="tags">{row.tags.join(", ")}</span>
          </div>
          <div className="card-foot">
              <Link href={`/app/editor/${row.slug}`} className="button quiet compact">
                Edit
              </Link>
              <Button look="quiet" isCompact onClick={() => copy(row)}>
                Duplicate
              </Button>
              <Button look="quiet" isCompact onClick={() => setArchived(row, !row.archived)}>
                {row.archived ? "Bring back" : "Archive"}
              </Button>
              <Button look="quiet" isCompact onClick={() => remove(row)}>
                Delete
              </Button>
          </div>
        </div>
      </article>
    </li>
  );
}

/** The last call of the published workflow; runs of its draft are no calls. */
function LastRunText({ row: { lastRun } }: { row: WorkflowRow }) {
  if (!lastRun) return <span>Not called yet</span>;
  return (
    <span className="figures">
      <Ago at={lastRun.at} />, {credits(lastRun.creditsCost)}
      {lastRun.status === "failed" && <span className="failed"> · failed</span>}
    </span>
  );
}

/** Whether an element has come into view. */
function useSeen(place: RefObject<HTMLElement | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true));
    if (place.current) watcher.observe(place.current);
    return () => watcher.disconnect();
  }, [place]);
  return isSeen;
}

function State({ row, missing }: { row: WorkflowRow; missing: Need[] }) {
  if (row.archived) return <span className="badge">Archived</span>;
  if (missing.length > 0) return <span className="badge warn">{wordFor(missing)}</span>;
  if (row.version === null) return <span className="badge warn">Draft</span>;
  return (
    <Link href={releasesAddress(row.slug)} className={`badge ${row.hasDraft ? "active" : "good"}`} title="Releases: who gets which version">
      {row.hasDraft ? "Draft changes" : `Live · v${row.version}`}
    </Link>
  );
}
