import { useState } from "react";
import { type Batch, BATCHES, batchPath, isLiveBatch, type StartedBatch, sizeOf } from "../../api/batches";
import { call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { Ago, credits, Moment, timeBetween } from "../../components/Ago";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { Fact } from "../../components/Fact";
import { StatusBadge } from "../../components/StatusBadge";
import { TagList } from "../../components/TagList";
import { toast } from "../../components/Toast";
import { Link, navigate } from "../../shell/router";
import { BatchProgress, progressInWords } from "../BatchProgress";
import { CancelBatch } from "./CancelBatch";

/** The batch's name, its progress and facts, and the actions on it. */
export function Header({ batch }: { batch: Batch }) {
  const { batchId, counts } = batch;
  return (
    <>
      <div className="row spread execution-head">
        <div>
          <h1>
            {batch.workflowSlug}, {sizeOf(counts).toLocaleString("en")} {sizeOf(counts) === 1 ? "item" : "items"}{" "}
            <StatusBadge status={batch.status} />
          </h1>
          <p className="row">
            <code>{batchId}</code>
            <CopyButton text={batchId} name="Copy the id" />
          </p>
        </div>
        <Actions batch={batch} />
      </div>
      <div className="batch-bar">
        <BatchProgress counts={counts} label="Progress" />
        <p className="muted small figures">{progressInWords(counts)}</p>
      </div>
      <Facts batch={batch} />
    </>
  );
}

function Actions({ batch }: { batch: Batch }) {
  const [isAsked, setAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const retry = async (): Promise<void> => {
    setBusy(true);
    try {
      const { batchId, items } = await call<StartedBatch>("POST", `${batchPath(batch.batchId)}/retry`);
      toast(items === 1 ? "The failed item begins anew" : `${items.toLocaleString("en")} failed items begin anew`);
      invalidate(BATCHES);
      navigate(`/app/batches/${batchId}`);
    } catch (error) {
      toast((error as Error).message);
    }
    setBusy(false);
  };
  const isLive = isLiveBatch(batch);
  return (
    <div className="row">
      {isLive && (
        <Button isDanger disabled={batch.status !== "processing"} onClick={() => setAsked(true)}>
          Cancel batch
        </Button>
      )}
      {!isLive && batch.counts.failed > 0 && (
        <Button look="primary" disabled={isBusy} onClick={() => void retry()}>
          Retry {batch.counts.failed.toLocaleString("en")} failed
        </Button>
      )}
      {isAsked && <CancelBatch batch={batch} onClose={() => setAsked(false)} />}
    </div>
  );
}

function Facts({ batch }: { batch: Batch }) {
  const { workflowSlug: slug, workflowVersion: version, createdAt, completedAt } = batch;
  return (
    <dl className="execution-facts">
      <Fact name="Workflow">
        <Link href={`/app/playground/${slug}`}>{slug}</Link>
        {version !== null && <span className="muted"> version {version}</span>}
      </Fact>
      <Fact name="Created">
        <Moment at={createdAt} /> <span className="muted">(<Ago at={createdAt} />)</span>
      </Fact>
      {completedAt && (
        <Fact name="Ended">
          <Moment at={completedAt} /> <span className="muted">after {timeBetween(createdAt, completedAt)}</span>
        </Fact>
      )}
      <Fact name="Cost">{credits(batch.creditsCost)}</Fact>
      {batch.tags.length > 0 && (
        <Fact name="Tags">
          <TagList tags={batch.tags} />
        </Fact>
      )}
      <Fact name="Runs">
        <Link href={`/app/executions?batchId=${batch.batchId}`}>Its executions</Link>
      </Fact>
    </dl>
  );
}
