import { type ReactNode, useState } from "react";
import { WORKFLOWS } from "../api/paths";
import { useResource } from "../api/resource";
import type { WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failed, Loading } from "../components/States";
import { useMe } from "../shell/session";
import { useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { FirstSteps } from "./FirstSteps";
import { NewWorkflow } from "./NewWorkflow";
import { deleted, WorkflowCard } from "./WorkflowCard";
import "./home.css";

export function Home() {
  usePageTitle("Workflows");
  const list = useResource<WorkflowRow[]>(WORKFLOWS);
  const me = useMe().data;
  const [isOpen, setCreating] = useState(false);
  const [from, setFrom] = useParameter("new", "");
  const isCreating = isOpen || (from !== "" && list.data !== undefined);
  const close = (): void => {
    setCreating(false);
    if (from) setFrom("");
  };
  const rows = list.data ?? [];
  const own = rows.filter((row) => row.createdBy !== null && !deleted.has(row.slug));
  const templates = rows.filter((row) => row.isTemplate && !row.archived && !deleted.has(row.slug));
  const begun = own.filter((row) => !row.isTemplate);
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Workflows</h1>
          <p>Each one answers at its own address. Try it in the playground, then call it with a key.</p>
        </div>
        <Button look="primary" onClick={() => setCreating(true)}>
          New workflow
        </Button>
      </div>
      {me && !me.user.approved && (
        <p className="note warn">
          This account is not approved yet: it can look around, but runs and saves nothing.
        </p>
      )}
      {list.error && !list.data && <Failed error={list.error} retry={list.reload} />}
      {list.isLoading && !list.data && <Skeleton />}
      {list.data && <FirstSteps rows={begun} onCreate={() => setCreating(true)} />}
      {list.data && begun.length === 0 && (
        <Empty title="No workflows yet">
          <p>Start from a template or from a small example, and run it a moment later.</p>
          <Button onClick={() => setCreating(true)}>Create the first one</Button>
        </Empty>
      )}
      {own.length > 0 && <Cards rows={own} />}
      {isCreating && <NewWorkflow templates={templates} from={from} onClose={close} />}
    </>
  );
}

function Skeleton() {
  return (
    <div className="cards">
      {[1, 2, 3].map((each) => (
        <Loading key={each} height="19rem" />
      ))}
    </div>
  );
}

function Cards({ rows }: { rows: WorkflowRow[] }) {
  const [query, setQuery] = useParameter("q", "");
  const [tag, setTag] = useParameter("tag", "");
  const [archived, setArchived] = useParameter("archived", "");
  const [templates, setTemplates] = useParameter("templates", "");
  const listed = rows.filter((row) => row.isTemplate === Boolean(templates));
  const count = listed.filter((row) => row.archived).length;
  const tags = [...new Set(listed.flatMap((row) => row.tags))].sort();
  const own = rows.filter((row) => row.isTemplate).length;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = listed.filter((row) => {
    const text = `${row.name} ${row.description} ${row.slug} ${row.tags.join(" ")}`.toLowerCase();
    const isShelved = Boolean(archived) === row.archived;
    return isShelved && words.every((word) => text.includes(word)) && (!tag || row.tags.includes(tag));
  });
  return (
    <>
      <search className="filters">
        <input
          type="search"
          className="input"
          placeholder="Search workflows"
          aria-label="Search workflows"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        {(tags.length > 0 || count > 0 || own > 0) && (
          <div className="row" role="group" aria-label="Tags">
            {(own > 0 || templates) && (
              <Toggle isOn={Boolean(templates)} onChange={(isOn) => setTemplates(isOn ? "yes" : "")}>
                Templates ({own})
              </Toggle>
            )}
            {(count > 0 || archived) && (
              <Toggle isOn={Boolean(archived)} onChange={(isOn) => setArchived(isOn ? "yes" : "")}>
                Archived ({count})
              </Toggle>
            )}
            {tags.map((each) => (
              <Toggle key={each} isOn={each === tag} onChange={(isOn) => setTag(isOn ? each : "")}>
                {each}
              </Toggle>
            ))}
          </div>
        )}
      </search>
      {matching.length === 0 && listed.length > 0 ? (
        <Empty title="Nothing found">
          <p>No workflow has all of these words. Try fewer, or another tag.</p>
        </Empty>
      ) : (
        <ul className="cards">
          {matching.map((row) => (
            <WorkflowCard key={row.slug} row={row} />
          ))}
        </ul>
      )}
    </>
  );
}

interface ToggleProps {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  children: ReactNode;
}

function Toggle({ isOn, onChange, children }: ToggleProps) {
  return (
    <button type="button" className="tag" aria-pressed={isOn} onClick={() => onChange(!isOn)}>
      {children}
    </button>
  );
}
