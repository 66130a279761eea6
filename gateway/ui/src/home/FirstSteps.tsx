import { useEffect, useState } from "react";
import { useResource } from "../api/resource";
import type { ApiKey, ExecutionRow, Page, Workflow, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { needsOf, unmet } from "../requirements/requirements";
import { useSurroundings } from "../requirements/surroundings";
import { Link } from "../shell/router";

/** Entry of the browser's storage: nothing before the steps were seen undone. */
const SEEN = "headrace-first-steps";
const BEGUN = "begun";
const HIDDEN = "hidden";
/** Tag of the examples that an installation begins with. */
const EXAMPLE = "example";
const COMPLETED = "/api/executions?status=completed&limit=1";

interface Step {
  title: string;
  text: string;
  /** Undefined until it is known. */
  isDone: boolean | undefined;
  href?: string | undefined;
}

/** The way from nothing to a workflow that is called, and how far this account is on it. */
export function FirstSteps({ rows, onCreate }: { rows: WorkflowRow[]; onCreate: () => void }) {
  const [seen, setSeen] = useState(() => localStorage.getItem(SEEN));
  const steps = useSteps(rows);
  const areKnown = steps.every((step) => step.isDone !== undefined);
  const next = steps.findIndex((step) => !step.isDone);
  const isDone = next < 0;
  const isBeginning = areKnown && !isDone && seen === null;
  const remember = (state: string): void => {
    localStorage.setItem(SEEN, state);
    setSeen(state);
  };
  useEffect(() => {
    if (isBeginning) remember(BEGUN);
  }, [isBeginning]);
  // A browser that showed the steps shows the last tick too; an account that was done before sees nothing.
  if (!areKnown || seen === HIDDEN || (isDone && seen !== BEGUN)) return null;
  return (
    <section className="first-steps" aria-labelledby="first-steps">
      <div className="row spread">
        <h2 id="first-steps">First steps</h2>
        <Button look="quiet" isCompact onClick={() => remember(HIDDEN)}>
          {isDone ? "All done: close" : "Hide"}
        </Button>
      </div>
      <ol>
        {steps.map((step, place) => (
          <li key={step.title} className={step.isDone ? "done" : place === next ? "next" : undefined}>
            <span className="step-mark" aria-hidden="true">
              {step.isDone ? "✓" : place + 1}
            </span>
            <h3>
              {step.title}
              {step.isDone && <span className="hidden-visually"> (done)</span>}
            </h3>
            <p className="hint">{step.text}</p>
            {place === next && <Go step={step} onCreate={onCreate} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Go({ step: { title, href }, onCreate }: { step: Step; onCreate: () => void }) {
  if (title === "Draw" || !href) {
    return (
      <Button isCompact onClick={onCreate}>
        New workflow
      </Button>
    );
  }
  return (
    <Link className="button compact" href={href}>
      Go on
    </Link>
  );
}

/** The steps, each with whether it is done; they begin with an example that answers, if there is one. */
function useSteps(rows: readonly WorkflowRow[]): Step[] {
  const here = rows.filter((row) => !row.archived);
  const example = exampleOf(here);
  const drawn = here.filter(isDrawn);
  const keys = useResource<ApiKey[]>("/api/api-keys").data?.filter((key) => key.name !== "Demo");
  const hasRun = useHasRun();
  const hasCalled = useHasCalled(keys);
  const runnable = useRunnable(drawn[0]);
  const tried = example ?? drawn[0];
  const called = (runnable?.version ? runnable : undefined) ?? example;
  const run: Step = {
    title: "Run",
    text: example ? `Try “${example.name}”, and see each node at work.` : "Try it where you draw; callers notice nothing.",
    isDone: hasRun,
    href: tried && `/app/editor/${tried.slug}?panel=run`,
  };
  const draw: Step = {
    title: "Draw",
    text: "Start from a template, an example or an empty canvas.",
    isDone: drawn.length > 0,
  };
  return [
    ...(example ? [run, draw] : [draw, run]),
    {
      title: "Publish",
      text: "From then on its address answers.",
      isDone: drawn.some(({ tags, version }) => version !== null && version > (tags.includes(EXAMPLE) ? 1 : 0)),
      href: drawn[0] && `/app/editor/${drawn[0].slug}`,
    },
    { title: "Make a key", text: "A program needs one to call it.", isDone: keys && keys.length > 0, href: "/app/api/keys" },
    {
      title: "Call it",
      text: "Copy the code below the form of the playground.",
      isDone: hasCalled,
      href: called && `/app/playground/${called.slug}`,
    },
  ];
}

/** The example that answered last. */
function exampleOf(rows: readonly WorkflowRow[]): WorkflowRow | undefined {
  return rows
    .filter((row) => row.tags.includes(EXAMPLE) && row.lastRun?.status === "completed")
    .sort((one, other) => Date.parse(other.lastRun?.at ?? "") - Date.parse(one.lastRun?.at ?? ""))[0];
}

/** Whether somebody has made or changed the workflow here: examples come as version 1. */
function isDrawn(row: WorkflowRow): boolean {
  return !row.tags.includes(EXAMPLE) || row.hasDraft || (row.version ?? 0) > 1;
}

/** Whether a run that was begun in the pages has succeeded. */
function useHasRun(): boolean | undefined {
  const runs = useResource<Page<ExecutionRow>>(`${COMPLETED}&source=app`).data?.rows;
  const drafts = useResource<Page<ExecutionRow>>(`${COMPLETED}&source=app-draft`).data?.rows;
  return runs && drafts && runs.length + drafts.length > 0;
}

/** Whether a call with the key that was used last, or made last, has succeeded. */
function useHasCalled(keys: readonly ApiKey[] | undefined): boolean | undefined {
  const place = (key: ApiKey): string => `${key.lastUsedAt ?? ""} ${key.createdAt}`;
  const last = keys?.toSorted((one, other) => place(other).localeCompare(place(one)))[0];
  const calls = useResource<Page<ExecutionRow>>(last ? `${COMPLETED}&keyId=${last.id}` : null).data?.rows;
  if (keys && !last) return false;
  return calls && calls.length > 0;
}

/** The workflow, unless something that it needs is missing here. */
function useRunnable(row: WorkflowRow | undefined): WorkflowRow | undefined {
  const graph = useResource<Workflow>(row ? `/api/workflows/${row.slug}` : null).data;
  const around = useSurroundings();
  return graph && around && unmet(needsOf(graph, around)).length === 0 ? row : undefined;
}
