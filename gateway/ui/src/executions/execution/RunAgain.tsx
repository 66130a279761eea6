import { type FormEvent, useEffect, useId, useState } from "react";
import { call, get } from "../../api/client";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { toast } from "../../components/Toast";
import { isTruncated } from "../../editor/running/values";
import { Link, navigate } from "../../shell/router";
import type { ExecutionDetail } from "./types";

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
      <Link className="button" href={`/app/playground/${slug}?from=${executionId}`}>
        Run again with changed inputs
      </Link>
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
      const { executionId } = await call<{ executionId: string }>("POST", path, { inputs });
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
