import { useState } from "react";
import { type ApiError, call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { type Schedule, type Trigger, triggerPath } from "../../api/triggers";
import { Ago, credits, Moment } from "../../components/Ago";
import { Button } from "../../components/Button";
import { ByKey, Fact } from "../../components/Fact";
import { toast } from "../../components/Toast";
import { Link, navigate } from "../../shell/router";
import { EnabledSwitch } from "../EnabledSwitch";
import { HERE } from "../schedule/zones";
import { timesOf, Until } from "../When";
import { KINDS, momentIn } from "../words";
import { DeleteTrigger } from "./DeleteTrigger";

/** The trigger's name, its switch, its facts, and the actions on it. */
export function Header({ trigger }: { trigger: Trigger }) {
  const label = trigger.enabled ? "Enabled" : "Paused";
  return (
    <>
      <div className="row spread execution-head">
        <div>
          <h1>{trigger.name}</h1>
          <p className="row">
            <span className="muted">{KINDS[trigger.kind]}</span>
            <EnabledSwitch trigger={trigger} />
            <span aria-hidden="true">{label}</span>
          </p>
        </div>
        <Actions trigger={trigger} />
      </div>
      <Facts trigger={trigger} />
    </>
  );
}

function Actions({ trigger }: { trigger: Trigger }) {
  const [isAsked, setAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const { executionId } = await call<{ executionId: string }>("POST", `${triggerPath(trigger.id)}/run`);
      toast("A run began", { label: "Show it", run: () => navigate(`/app/executions/${executionId}`) });
      invalidate(triggerPath(trigger.id));
    } catch (error) {
      toast(inWords(error as ApiError));
    }
    setBusy(false);
  };
  return (
    <div className="row">
      {trigger.kind === "schedule" && (
        <Button look="primary" disabled={isBusy} onClick={() => void run()}>
          Run now
        </Button>
      )}
      <Button isDanger onClick={() => setAsked(true)}>
        Delete
      </Button>
      {isAsked && <DeleteTrigger trigger={trigger} onClose={() => setAsked(false)} />}
    </div>
  );
}

/** A refusal with the first problem of the workflow, where it has some. */
function inWords({ message, details }: ApiError): string {
  const [problem] = Array.isArray(details.problems) ? (details.problems as { reason: string }[]) : [];
  return problem ? problem.reason : message;
}

function Facts({ trigger }: { trigger: Trigger }) {
  const { workflowSlug: slug, version, max_credits: limit } = trigger;
  return (
    <dl className="execution-facts">
      <Fact name="Workflow">
        <Link href={`/app/editor/${slug}`}>{slug}</Link>
        <span className="muted">{version === undefined ? " live version" : ` version ${version}`}</span>
      </Fact>
      <Fact name="Starts">
        {timesOf(trigger)}
        {trigger.kind === "schedule" && (
          <span className="muted">
            {" "}
            <code>{trigger.cron}</code> {trigger.timezone}
          </span>
        )}
      </Fact>
      {trigger.kind === "schedule" && (
        <Fact name="Next">
          <Next trigger={trigger} />
        </Fact>
      )}
      {limit !== undefined && <Fact name="At most">{credits(limit)} a run</Fact>}
      <Fact name="Created">
        <Moment at={trigger.createdAt} />{" "}
        <span className="muted">
          (<Ago at={trigger.createdAt} />)
        </span>
        {trigger.createdBy && <ByKey id={trigger.createdBy} revoked="a key that was revoked, which paused it" />}
      </Fact>
      <Fact name="Runs">
        <Link href={`/app/executions?triggerId=${trigger.id}`}>Its executions</Link>
      </Fact>
    </dl>
  );
}

/** The next due time in the zone of the schedule, and in that of the browser where it differs. */
function Next({ trigger: { enabled, nextAt, timezone } }: { trigger: Schedule }) {
  if (!enabled) return <>None while it is paused</>;
  if (nextAt === null) return <>Never again</>;
  return (
    <>
      {momentIn(nextAt, timezone)}{" "}
      <span className="muted">
        (<Until at={nextAt} timeZone={timezone} />
        {timezone !== HERE && `, ${momentIn(nextAt, HERE)} here`})
      </span>
    </>
  );
}
