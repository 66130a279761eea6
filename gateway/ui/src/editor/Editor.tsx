import { type FormEvent, useEffect, useId, useState } from "react";
import { ApiError, call } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import type { WorkflowDocument } from "../api/types";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { toast } from "../components/Toast";
import { Link } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import "./editor.css";

const KEPT = ["name", "description", "tags", "publicPlayground", "isTemplate", "nodes", "edges", "viewport"];

interface Problem {
  nodeId?: string;
  edgeId?: string;
  field?: string;
  reason: string;
}

/** The members that saving takes, as JSON. */
function written(document: WorkflowDocument): string {
  const members = document as unknown as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, members[name]])), null, 2);
}

function place(problem: Problem): string {
  return [problem.nodeId ?? problem.edgeId, problem.field].filter(Boolean).join(" · ");
}

/** A workflow as JSON, until there is a canvas. */
export default function Editor({ slug }: { slug: string }) {
  const found = useResource<WorkflowDocument>(`/api/workflows/${slug}`);
  usePageTitle(found.data?.name ?? slug);
  if (found.data) return <Form slug={slug} document={found.data} />;
  return (
    <>
      <h1>{slug}</h1>
      {found.error ? <Failed error={found.error} retry={found.reload} /> : <Loading height="30rem" />}
    </>
  );
}

function Form({ slug, document }: { slug: string; document: WorkflowDocument }) {
  const id = useId();
  const [base, setBase] = useState(document);
  const [text, setText] = useState(() => written(document));
  const [problems, setProblems] = useState<Problem[]>([]);
  const isChanged = text !== written(base);
  useEffect(() => {
    // Nothing of one's own would be lost.
    if (!isChanged && document.version !== base.version) {
      setBase(document);
      setText(written(document));
    }
  }, [document, base, isChanged]);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (error) {
      return setProblems([{ reason: `This is not JSON: ${(error as Error).message}` }]);
    }
    try {
      const guard: Record<string, string> = base.version === null ? {} : { "if-match": `"${base.version}"` };
      const saved = await call<WorkflowDocument>("PUT", `/api/workflows/${slug}`, body, guard);
      setProblems([]);
      setBase(saved);
      setText(written(saved));
      toast(`Published version ${saved.version}`);
      invalidate("/api/workflows");
    } catch (error) {
      const told = error instanceof ApiError ? error.details.problems : undefined;
      setProblems((told as Problem[] | undefined) ?? [{ reason: (error as Error).message }]);
    }
  };
  return (
    <form className="stack editor" onSubmit={save}>
      <div className="page-head">
        <div>
          <h1>{base.name}</h1>
          <p>
            The workflow as JSON, {base.version === null ? "not published yet" : `version ${base.version}`}. Saving
            publishes a new version; runs under way finish on theirs.
          </p>
        </div>
        <div className="row">
          <Link className="button" href={`/app/playground/${slug}`}>
            Playground
          </Link>
          <Button look="primary" type="submit" disabled={!isChanged}>
            Save
          </Button>
        </div>
      </div>
      {problems.length > 0 && (
        <div className="note bad" role="alert" id={`${id}-problems`}>
          <h2>{problems.length === 1 ? "One problem" : `${problems.length} problems`}</h2>
          <ul>
            {problems.map((problem, row) => (
              <li key={row}>
                {place(problem) && <code>{place(problem)}</code>} {problem.reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="field">
        <label htmlFor={id}>Document</label>
        <textarea
          id={id}
          className="input document"
          spellCheck={false}
          value={text}
          aria-invalid={problems.length > 0 || undefined}
          aria-describedby={problems.length > 0 ? `${id}-problems` : undefined}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
    </form>
  );
}
