import { useState } from "react";
import { useResource } from "../api/resource";
import type { ApiKey, WorkflowRow } from "../api/types";
import { Button } from "../components/Button";
import { Link } from "../shell/router";

const HIDDEN = "headrace-first-steps";
/** Slugs of the example that an account begins with. */
const EXAMPLE = /^greeting-letter(-\d+)?$/;

interface Step {
  title: string;
  text: string;
  isDone: boolean;
  href?: string;
}

/** The way from nothing to a workflow that is called, and how far this account is on it. */
export function FirstSteps({ rows, onCreate }: { rows: WorkflowRow[]; onCreate: () => void }) {
  const [isHidden, setHidden] = useState(() => localStorage.getItem(HIDDEN) !== null);
  const keys = useResource<ApiKey[]>("/api/api-keys").data;
  const drawn = rows.filter((row) => !EXAMPLE.test(row.slug));
  const newest = drawn[0];
  const own = (keys ?? []).filter((key) => key.name !== "Demo");
  const editor = newest ? { href: `/app/editor/${newest.slug}` } : {};
  const steps: Step[] = [
    { title: "Draw", text: "Start from a template, an example or an empty canvas.", isDone: drawn.length > 0 },
    { title: "Run", text: "Try it where you draw; callers notice nothing.", isDone: drawn.some((row) => row.lastRun), ...editor },
    { title: "Publish", text: "From then on its address answers.", isDone: drawn.some((row) => row.version !== null), ...editor },
    { title: "Make a key", text: "A program needs one to call it.", isDone: own.length > 0, href: "/app/api/keys" },
    {
      title: "Call it",
      text: "Copy the code below the form of the playground.",
      isDone: own.some((key) => key.lastUsedAt),
      ...(newest ? { href: `/app/playground/${newest.slug}` } : {}),
    },
  ];
  if (isHidden || !keys || steps.every((step) => step.isDone)) return null;
  const next = steps.findIndex((step) => !step.isDone);
  const hide = (): void => {
    localStorage.setItem(HIDDEN, "hidden");
    setHidden(true);
  };
  return (
    <section className="first-steps" aria-labelledby="first-steps">
      <div className="row spread">
        <h2 id="first-steps">First steps</h2>
        <Button look="quiet" isCompact onClick={hide}>
          Hide
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
            {place === next && (place === 0 ? <Button isCompact onClick={onCreate}>New workflow</Button> : <Go step={step} />)}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Go({ step }: { step: Step }) {
  return step.href ? (
    <Link className="button compact" href={step.href}>
      Go on
    </Link>
  ) : null;
}
