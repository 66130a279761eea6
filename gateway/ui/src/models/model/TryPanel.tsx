import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { ApiError, call } from "../../api/client";
import { MODELS } from "../../api/paths";
import { invalidate } from "../../api/resource";
import type { Model, TryResult } from "../../api/types";
import { credits, duration } from "../../components/Ago";
import { Button } from "../../components/Button";
import { StatusBadge } from "../../components/StatusBadge";
import { InputFields, useInputForm } from "../../playground/inputForm";
import { shown } from "../../playground/inputs";
import { Result } from "../../playground/Result";
import { Link } from "../../shell/router";
import { priceOf } from "../facts";
import "../../playground/playground.css";

type Outcome = TryResult | { executionId: string; success?: undefined };
interface State {
  began: number;
  inputs: Record<string, unknown>;
  outcome?: Outcome;
}

/** Call the model as an admin's try does, or as any run. */
async function attempt(name: string, inputs: unknown, isAdmin: boolean): Promise<Outcome> {
  if (isAdmin) return call<Outcome>("POST", `${MODELS}/${name}/try`, { inputs });
  try {
    const ran = await call<Partial<TryResult>>("POST", `${MODELS}/${name}/run`, { inputs });
    return { error: null, executionId: null, request: null, ...ran } as Outcome;
  } catch (error) {
    if (!(error instanceof ApiError) || typeof error.details.executionId !== "string") throw error;
    const { nodeCode, reason, retryable, executionId } = error.details;
    const failure = { code: String(nodeCode ?? error.code), message: String(reason ?? error.message), retryable: retryable === true };
    return { success: false, result: null, error: failure, cost: 0, ms: 0, executionId, request: null };
  }
}

/** A form of the model's fields, with the answer and the cost of one call. */
export function TryPanel({ model, isAdmin }: { model: Model; isAdmin: boolean }) {
  const { internalName: name, fields } = model;
  const form = useInputForm(fields, () => Object.fromEntries(fields.map((field) => [field.name, shown(field, field.default)])));
  const [state, setState] = useState<State | null>(null);
  const [refusal, setRefusal] = useState("");
  const panel = useRef<HTMLElement>(null);
  const isRunning = state !== null && state.outcome === undefined;
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setRefusal("");
    const inputs = form.checked();
    if (inputs === null) return;
    setState({ began: Date.now(), inputs });
    panel.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    try {
      const outcome = await attempt(name, inputs, isAdmin);
      setState({ began: 0, inputs, outcome });
    } catch (error) {
      setState(null);
      const { field, reason } = error instanceof ApiError ? error.details : {};
      if (typeof field === "string" && fields.some((each) => each.name === field)) form.setFaults({ [field]: String(reason) });
      else setRefusal((error as Error).message);
    }
    invalidate("/api/me");
    invalidate("/api/executions");
  };
  return (
    <div className="playground">
      <form className="panel stack form" onSubmit={(event) => void run(event)} noValidate aria-label="Inputs">
        <p className="hint">
          {model.isDemo
            ? "The demo provider makes the answer up; no real model is asked. It is charged like the real one."
            : "This asks the real provider, and your account pays for it."}
        </p>
        <InputFields form={form} />
        <div className="run-row">
          <span className="muted small figures">{priceOf(model)}</span>
          <Button look="primary" type="submit" disabled={isRunning}>
            Try it
          </Button>
        </div>
      </form>
      {/* Focusable, since it scrolls. */}
      <section className="panel result model-answer" aria-label="Answer" tabIndex={0} ref={panel}>
        {refusal && (
          <p className="note bad" role="alert">
            {refusal}
          </p>
        )}
        {!state && !refusal && (
          <div className="nothing-yet">
            <p>The answer appears here.</p>
          </div>
        )}
        {isRunning && <Waiting since={state.began} />}
        {state?.outcome && <Ended model={model} inputs={state.inputs} outcome={state.outcome} />}
      </section>
    </div>
  );
}

function Waiting({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="row" role="status">
      <StatusBadge status="processing" />
      <span className="muted figures">{((now - since) / 1_000).toFixed(1)} s</span>
    </div>
  );
}

function Ended({ model, inputs, outcome }: { model: Model; inputs: Record<string, unknown>; outcome: Outcome }) {
  const link = outcome.executionId && <Link href={`/app/executions/${outcome.executionId}`}>Open the run</Link>;
  if (outcome.success === undefined) {
    return (
      <p className="note" role="status">
        It takes longer than the server waits, and goes on. {link}
      </p>
    );
  }
  const { success, result, error, cost, ms, request } = outcome;
  return (
    <div className="stack">
      <div className="row" role="status">
        <StatusBadge status={success ? "completed" : "failed"} />
        <span className="muted figures">
          {ms > 0 && `${duration(ms)} · `}
          {success ? credits(cost) : "nothing was charged"}
        </span>
        {model.isDemo && <span className="badge warn">Demo</span>}
        {link}
      </div>
      {error && (
        <div className="note bad stack tight" role="alert">
          <strong>
            <code>{error.code}</code>
          </strong>
          <p className="provider-words">{error.message}</p>
          <p className="small">{error.retryable ? "The same call may succeed later." : "The same call would fail again."}</p>
        </div>
      )}
      {success && <Result value={result} />}
      {request && (
        <Sent title="Request to the provider">
          {`${request.method} ${request.url}\n`}
          {Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\n`)}
          {request.body !== null && `\n${JSON.stringify(request.body, null, 2)}`}
        </Sent>
      )}
      <Sent title="Inputs">{JSON.stringify(inputs, null, 2)}</Sent>
    </div>
  );
}

function Sent({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="fold">
      <summary>{title}</summary>
      <pre className="sent" tabIndex={0} role="region" aria-label={title}>
        {children}
      </pre>
    </details>
  );
}
