import { useState } from "react";
import { waitingOf } from "../../api/approvals";
import { ApiError, call } from "../../api/client";
import { releasesAddress } from "../../api/releases";
import { invalidate } from "../../api/resource";
import type { Accepted, ExecutionDetail } from "../../api/types";
import { Ago, credits, duration, Moment } from "../../components/Ago";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { ByKey, Fact } from "../../components/Fact";
import { StatusBadge } from "../../components/StatusBadge";
import { TagList } from "../../components/TagList";
import { toast } from "../../components/Toast";
import { Link, navigate } from "../../shell/router";
import { SOURCES } from "../filters";
import { isReplayable } from "../replays/candidates";
import { ReplayButton } from "../replays/ReplayButton";
import { nameOf, versionOf } from "../RunTable";
import { PlaceOfChild } from "./Parent";
import { RunAgain, useLiveVersion } from "./RunAgain";
import { StartedBy } from "./StartedBy";
import { executionPath } from "./state";

/** The execution's name, its facts, and the actions on it. */
export function Header({ execution }: { execution: ExecutionDetail }) {
  const { executionId, error } = execution;
  return (
    <>
      <div className="row spread execution-head">
        <div>
          <h1>
            {nameOf(execution)} <StatusBadge status={execution.status} />
            {waitingOf(execution).length > 0 && <StatusBadge status="waiting" />}
          </h1>
          <p className="row">
            <code>{executionId}</code>
            <CopyButton text={executionId} name="Copy the id" />
            {execution.traceId && <Trace id={execution.traceId} url={execution.traceUrl} />}
            {execution.httpRequestId && (
              <span className="small">
                X-Request-Id <code>{execution.httpRequestId}</code>
              </span>
            )}
          </p>
        </div>
        {!execution.parentId && <Actions execution={execution} />}
      </div>
      {error && (
        <div className="note bad" role="alert">
          <p>{error.message}</p>
          <p className="small">
            <code>{error.code}</code>
            {error.nodeId && ` in node ${error.nodeId}`}
          </p>
          <Mended execution={execution} />
        </div>
      )}
      <Facts execution={execution} />
    </>
  );
}

/** The trace of an execution, as a link where the operator has set one up. */
function Trace({ id, url }: { id: string; url: string | null }) {
  const name = <code>{id}</code>;
  return (
    <span className="small">
      Trace{" "}
      {url ? (
        <a href={url} target="_blank" rel="noreferrer">
          {name}
        </a>
      ) : (
        name
      )}
    </span>
  );
}

/** Tells a version that was published after the one that failed. */
function Mended({ execution }: { execution: ExecutionDetail }) {
  const live = useLiveVersion(execution.workflowSlug);
  const ran = versionOf(execution);
  if (live === null || ran === null || live <= ran) return null;
  return (
    <p className="small">
      Version {live} is published since. A retry stays with version {ran}, "Run again" takes version {live}.
    </p>
  );
}

function Actions({ execution }: { execution: ExecutionDetail }) {
  const [isBusy, setBusy] = useState(false);
  const path = executionPath(execution.executionId);
  const act = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    await action().catch((error: Error) => toast(inWords(error)));
    setBusy(false);
  };
  const cancel = async (): Promise<void> => {
    await call("POST", `${path}/cancel`);
    toast("The execution stops");
    invalidate(path);
  };
  const retry = async (): Promise<void> => {
    const { executionId } = await call<Accepted>("POST", `${path}/retry`);
    toast("It is tried again, from the nodes that failed");
    navigate(`/app/executions/${executionId}`);
  };
  return (
    <div className="row">
      <RunAgain execution={execution} />
      {execution.workflowSlug && isReplayable(execution) && <ReplayButton slug={execution.workflowSlug} executionIds={[execution.executionId]} />}
      <AddAsTest execution={execution} />
      {execution.status === "processing" && (
        <Button isDanger disabled={isBusy} onClick={() => void act(cancel)}>
          Cancel
        </Button>
      )}
      {execution.status === "failed" && (
        <Button look="primary" disabled={isBusy} onClick={() => void act(retry)}>
          Retry
        </Button>
      )}
    </div>
  );
}

/** The way to a test of the workflow with the inputs of this run. */
function AddAsTest({ execution: { executionId, workflowSlug: slug, inputs, workflowVersion, source } }: { execution: ExecutionDetail }) {
  const isOwn = workflowVersion !== null || source === "app-draft";
  if (!slug || inputs === null || !isOwn) return null;
  return (
    <Link className="button" href={`/app/editor/${slug}?panel=tests&testFrom=${executionId}`}>
      Add as a test
    </Link>
  );
}

/** A refusal with its reason, as that of a retry has one. */
function inWords(error: Error): string {
  const reason = error instanceof ApiError ? error.details.reason : undefined;
  return typeof reason === "string" && !error.message.includes(reason) ? `${error.message} (${reason})` : error.message;
}

function Facts({ execution }: { execution: ExecutionDetail }) {
  const version = versionOf(execution);
  const { workflowSlug: slug, createdAt, startedAt, completedAt } = execution;
  const queued = startedAt ? Date.parse(startedAt) - Date.parse(createdAt) : null;
  return (
    <dl className="execution-facts">
      {slug && (
        <Fact name="Workflow">
          <Link href={`/app/editor/${slug}`}>{slug}</Link>
          {version !== null && (
            <span className="muted">
              {" "}
              <Link href={releasesAddress(slug)}>version {version}</Link>
              {execution.alias && `, chosen by ${execution.alias}`}
            </span>
          )}
        </Fact>
      )}
      {execution.modelIds.length > 0 && <Fact name={execution.modelIds.length > 1 ? "Models" : "Model"}>{execution.modelIds.join(", ")}</Fact>}
      <Fact name="Source">
        {execution.parentId ? "A node of another execution" : (SOURCES[execution.source] ?? execution.source)}
        {execution.keyId && <ByKey id={execution.keyId} />}
      </Fact>
      <Fact name="Accepted">
        <Moment at={createdAt} /> <span className="muted">(<Ago at={createdAt} />)</span>
      </Fact>
      <Fact name="Time">
        {execution.durationMs === null ? (completedAt ? "–" : waitingOf(execution).length > 0 ? "not ended yet" : "still running") : duration(execution.durationMs)}
        {queued !== null && queued > 0 && <span className="muted">, began after {duration(queued)}</span>}
      </Fact>
      <Fact name="Cost">{credits(execution.creditsCost)}</Fact>
      {execution.tags.length > 0 && (
        <Fact name="Tags">
          <TagList tags={execution.tags} />
        </Fact>
      )}
      <Origins execution={execution} />
    </dl>
  );
}

/** The batch, the trigger, the node or the execution that an execution began for. */
function Origins({ execution }: { execution: ExecutionDetail }) {
  return (
    <>
      {execution.batchId && (
        <Fact name="Batch">
          Item {execution.batchIndex} of <Link href={`/app/batches/${execution.batchId}`}>{execution.batchId.slice(0, 8)}</Link>
        </Fact>
      )}
      {execution.replayId && (
        <Fact name="Replay">
          <Link href={`/app/replays/${execution.replayId}`}>{execution.replayId.slice(0, 8)}</Link>
        </Fact>
      )}
      {execution.testRunId && (
        <Fact name="Test run">
          <Link href={`/app/editor/${execution.workflowSlug}?panel=tests&testRun=${execution.testRunId}`}>{execution.testRunId.slice(0, 8)}</Link>
        </Fact>
      )}
      {execution.triggerId && (
        <Fact name="Started by">
          <StartedBy execution={execution} />
        </Fact>
      )}
      {execution.parentId && (
        <Fact name="Part of">
          <PlaceOfChild execution={execution} />
        </Fact>
      )}
      {execution.retryOf && (
        <Fact name="Retry of">
          <Link href={`/app/executions/${execution.retryOf}`}>{execution.retryOf.slice(0, 8)}</Link>
        </Fact>
      )}
    </>
  );
}
