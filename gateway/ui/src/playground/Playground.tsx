import { type FormEvent, lazy, Suspense, useEffect, useRef } from "react";
import { get } from "../api/client";
import { useResource } from "../api/resource";
import type { ExecutionDetail, ExecutionRow, PublicSchema, WorkflowRow } from "../api/types";
import { credits } from "../components/Ago";
import { Button } from "../components/Button";
import { Failed, Loading } from "../components/States";
import { Tabs } from "../components/Tabs";
import { Link, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { isSignedIn, signInAddress } from "../shell/session";
import { CallCode } from "./CallCode";
import { History } from "./History";
import { InputFields, useInputForm } from "./inputForm";
import { type Draft, type Faults, initial, inputsOf, refilled } from "./inputs";
import { OptionFields } from "./OptionFields";
import { useRunOptions } from "./options";
import { isLive, RunPanel } from "./RunPanel";
import { withUploads } from "./snippets/uploads";
import { useRun } from "./useRun";
import "./playground.css";

const RunMany = lazy(() => import("./many/RunMany"));
const ONCE = "Run once";
const MANY = "Run many";

/** Address of the schema: one's own workflows and templates have one that others do not see. */
function useSchemaPath(slug: string): { path: string | null; isListed: boolean } {
  const list = useResource<WorkflowRow[]>(isSignedIn ? "/api/workflows" : null);
  if (isSignedIn && !list.data && !list.error) return { path: null, isListed: false };
  const isListed = list.data?.some((row) => row.slug === slug) ?? false;
  return { path: `/api/workflows/${slug}/${isListed ? "schema" : "public-schema"}`, isListed };
}

export default function Playground({ slug }: { slug: string }) {
  const { path, isListed } = useSchemaPath(slug);
  const schema = useResource<PublicSchema>(path);
  usePageTitle(schema.data?.name ?? slug);
  if (schema.error && !schema.data) {
    if (schema.error.status === 404) return <Missing />;
    return (
      <>
        <h1>{slug}</h1>
        <Failed error={schema.error} retry={schema.reload} />
      </>
    );
  }
  if (!schema.data) return <Loading height="24rem" />;
  return <Ready slug={slug} schema={schema.data} isOwn={isListed} />;
}

function Missing() {
  return (
    <div className="welcome">
      <h1>There is no such workflow</h1>
      <p className="muted">
        It does not exist, or it is not public. {!isSignedIn && "Its owner sees it after signing in."}
      </p>
      <div className="row">
        {isSignedIn ? (
          <Link className="button" href="/">
            Your workflows
          </Link>
        ) : (
          <a className="button primary" href={signInAddress()}>
            Sign in
          </a>
        )}
      </div>
    </div>
  );
}

function Ready({ slug, schema, isOwn }: { slug: string; schema: PublicSchema; isOwn: boolean }) {
  const [way, setWay] = useParameter("way", "once");
  const once = <RunOnce slug={slug} schema={schema} />;
  return (
    <>
      <div className="page-head">
        <div>
          <h1>{schema.name}</h1>
          {schema.description && <p>{schema.description}</p>}
        </div>
        {isOwn && (
          <Link className="button" href={`/app/editor/${slug}`}>
            Edit
          </Link>
        )}
      </div>
      {isSignedIn ? (
        <Tabs label="Way to run" tabs={[ONCE, MANY]} chosen={way === "many" ? MANY : ONCE} onChoose={(tab) => setWay(tab === MANY ? "many" : "once")}>
          {way === "many" ? (
            <Suspense fallback={<Loading height="24rem" />}>
              <RunMany slug={slug} schema={schema} />
            </Suspense>
          ) : (
            once
          )}
        </Tabs>
      ) : (
        once
      )}
    </>
  );
}

/** The form of one run beside its result, and the same call as code. */
function RunOnce({ slug, schema }: { slug: string; schema: PublicSchema }) {
  const form = useInputForm(schema.fields, () => initial(schema));
  const options = useRunOptions(true);
  const run = useRun(slug);
  const result = useRef<HTMLElement>(null);
  useRefusedField(run.state?.error?.details, form.setFaults, options.refuse);
  useInputsOf(useParameter("from", "")[0], schema, form.setDraft);
  const showAgain = async (row: ExecutionRow): Promise<void> => {
    run.show(row);
    const { inputs } = await get<ExecutionDetail>(`/api/executions/${row.executionId}`);
    // Inputs that are not on record, or too large for the page, leave the form as it is.
    if (inputs && !("truncated" in inputs)) form.setDraft(refilled(schema, inputs));
  };
  const start = (event: FormEvent): void => {
    event.preventDefault();
    const inputs = form.checked();
    const members = options.checked();
    if (inputs === null || members === null) return;
    void run.start({ inputs, ...members });
    // On a phone it stands below the form.
    result.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  return (
    <>
      <div className="playground">
        <form className="panel stack form" onSubmit={start} noValidate aria-label="Inputs">
          {schema.fields.length === 0 && <p className="muted">This workflow asks for nothing.</p>}
          <InputFields form={form} />
          {isSignedIn && (
            <details className="more-options">
              <summary>Tags and webhook</summary>
              <OptionFields options={options} hasEvents />
            </details>
          )}
          <RunRow estimate={schema.estimatedCreditCost} isBusy={isLive(run.state)} />
        </form>
        {/* Focusable, since it scrolls. */}
        <section className="panel result" aria-label="Result" tabIndex={0} ref={result}>
          <RunPanel state={run.state} onCancel={run.cancel} />
        </section>
      </div>
      <div className="playground below">
        <CallCode url={`${location.origin}/api/workflows/${slug}/run`} inputs={withUploads(schema.fields, inputsOf(schema.fields, form.draft))} />
        {isSignedIn && <History slug={slug} shownId={run.state?.executionId} onShow={(row) => void showAgain(row)} />}
      </div>
    </>
  );
}

/** The price of a run and the button that begins it; for visitors, the way to sign in. */
function RunRow({ estimate, isBusy }: { estimate: number | undefined; isBusy: boolean }) {
  return (
    <div className="run-row">
      {isSignedIn ? (
        <>
          <span className="muted small figures">{estimate !== undefined && `${estimate ? "Up to " : ""}${credits(estimate)}`}</span>
          <Button look="primary" type="submit" disabled={isBusy}>
            Run
          </Button>
        </>
      ) : (
        <>
          <span className="muted small">Accounts run it at their own cost.</span>
          <a className="button primary" href={signInAddress()}>
            Sign in to run
          </a>
        </>
      )}
    </div>
  );
}

/** Begin with the inputs of an execution; those that are not on record, or large, leave the form as it is. */
function useInputsOf(executionId: string, schema: PublicSchema, fill: (draft: Draft) => void): void {
  const inputs = useResource<ExecutionDetail>(executionId && isSignedIn ? `/api/executions/${encodeURIComponent(executionId)}` : null).data?.inputs;
  const isFilled = useRef(false);
  useEffect(() => {
    if (!inputs || "truncated" in inputs || isFilled.current) return;
    isFilled.current = true;
    fill(refilled(schema, inputs));
  }, [inputs, schema, fill]);
}

/** Show the server's refusal beside its field, or at the option that it is about. */
function useRefusedField(
  details: Record<string, unknown> | undefined,
  show: (faults: Faults) => void,
  refuseOption: (field: string, reason: string) => boolean,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: when a run is refused
  useEffect(() => {
    const { code, field, reason } = details ?? {};
    if (typeof field !== "string") return;
    const why = String(reason ?? details?.error);
    // Inputs may have the names of options.
    if (code === "INVALID_INPUTS" || !refuseOption(field, why)) show({ [field]: why });
  }, [details]);
}
