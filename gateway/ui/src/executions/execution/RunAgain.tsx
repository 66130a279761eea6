import { type FormEvent, useEffect, useId, useState } from "react";
import { call, get } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Accepted, ExecutionDetail, WorkflowRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { isTruncated } from "../../editor/running/values/values";
import { Link, navigate } from "../../shell/router";

/** Leads to a form with the inputs of the run: of a workflow in the playground, of a model right here. */
export function RunAgain({ execution }: { execution: ExecutionDetail }) {
  const [isOpen, setOpen] = useState(false);
  const { workflowSlug: slug, source, executionId } = execution;
  if (source === "app-draft") {
    return slug ? (
      <Link className="button" href={`/app/editor/${slug}`}>
        Open in the editor
      </Link>
    ) : null;
  }
  if (slug) {
    return (
      <>
        <Link className="button" href={`/app/playground/${slug}?from=${executionId}`}>
          Run again with changed inputs
        </Link>
        <SameInputs execution={execution} slug={slug} />
      </>
    );
  }
  if (execution.modelIds.length !== 1) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>Run again with changed inputs</Button>
      {isOpen && <ModelForm execution={execution} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Runs the published version with the inputs of the run: the way on after a cause was mended. */
function SameInputs({ execution, slug }: { execution: ExecutionDetail; slug: string }) {
  const [isBusy, setBusy] = useState(false);
  const live = useLiveVersion(slug);
  if (execution.inputs === null || live === null) return null;
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const body = { inputs: await inputsOf(execution) };
      const { executionId } = await call<Accepted>("POST", `/api/workflows/${slug}/run?async=true`, body);
      toast(`It runs again, as version ${live}`);
      navigate(`/app/executions/${executionId}`);
    } catch (error) {
      toast((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <Button disabled={isBusy} onClick={() => void run()}>
      Run again as version {live}
    </Button>
  );
}

/** The version that callers run; null for a workflow that was never published, or of another account. */
export function useLiveVersion(slug: string | null): number | null {
  const rows = useResource<WorkflowRow[]>(slug === null ? null : "/api/workflows").data;
  return rows?.find((row) => row.slug === slug)?.version ?? null;
}

/** The whole inputs of a run, also where they are large. */
async function inputsOf({ inputs }: ExecutionDetail): Promise<unknown> {
  return isTruncated(inputs) ? get(inputs.url) : (inputs ?? {});
}

function ModelForm({ execution, onClose }: { execution: ExecutionDetail; onClose: () => void }) {
  const id = useId();
  const [text, setText] = useState<string>();
  const [fault, setFault] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the form begins with the inputs, once
  useEffect(() => {
    inputsOf(execution).then(
      (inputs) => setText(JSON.stringify(inputs, null, 2)),
      (error: Error) => (toast(error.message), onClose()),
    );
  }, []);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      const inputs: unknown = JSON.parse(text ?? "");
      const path = `/api/models/${execution.modelIds[0]}/run?async=true`;
      const { executionId } = await call<Accepted>("POST", path, { inputs });
      navigate(`/app/executions/${executionId}`);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <Dialog title={`Run ${execution.modelIds[0]} again`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void run(event)}>
        <div className="field">
          <label htmlFor={id}>Inputs, as JSON</label>
          <textarea
            id={id}
            className="input model-inputs"
            spellCheck={false}
            value={text ?? ""}
            aria-invalid={fault ? true : undefined}
            aria-describedby={fault ? `${id}-fault` : undefined}
            onChange={(event) => setText(event.target.value)}
          />
          {fault && (
            <p id={`${id}-fault`} className="fault">
              {fault}
            </p>
          )}
        </div>
        <div className="actions">
          <Button look="quiet" onClick={onClose}>
            Close
          </Button>
          <Button look="primary" type="submit" disabled={text === undefined}>
            Run
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
