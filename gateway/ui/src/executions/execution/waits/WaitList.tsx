import { useState } from "react";
import { type Asked, askedOf, type Waiting, waitingOf } from "../../../api/approvals";
import type { ExecutionDetail } from "../../../api/types";
import { AnswerForm } from "../../../approvals/AnswerForm";
import { Message, Question } from "../../../approvals/Question";
import { Deadline, Until } from "../../../approvals/TimeLeft";
import { keyOf, titleOf } from "../../../approvals/words";
import { Ago } from "../../../components/Ago";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { Link } from "../../../shell/router";
import "./waits.css";

const SHOWN = 5;
/** Of more waits of children than these, an execution tells none. */
const MOST_OF_CHILDREN = 100;

/** The persons and the times that a run waits for; nothing where it waits for none. */
export function WaitList({ execution }: { execution: ExecutionDetail }) {
  const [isWhole, setWhole] = useState(false);
  const waits = waitingOf(execution);
  if (waits.length === 0) return null;
  const shown = isWhole ? waits : waits.slice(0, SHOWN);
  const first = waits.findIndex((each) => each.kind === "approval");
  const isCut = waits.filter((each) => each.executionId).length >= MOST_OF_CHILDREN;
  return (
    <section className="waits" aria-label="Waits">
      <ul>
        {shown.map((wait, place) => (
          <li key={keyOf({ executionId: wait.executionId ?? "", nodeId: wait.nodeId })}>
            <Wait wait={wait} executionId={execution.executionId} isFirst={place === first} />
          </li>
        ))}
      </ul>
      {shown.length < waits.length && (
        <div className="waits-more">
          <Button isCompact look="quiet" onClick={() => setWhole(true)}>
            Show all {waits.length}
          </Button>
        </div>
      )}
      {isWhole && isCut && (
        <p className="waits-more muted small">
          Those of the first {MOST_OF_CHILDREN} children are told. <Link href="/app/approvals">All approvals</Link>
        </p>
      )}
    </section>
  );
}

interface WaitProps {
  wait: Waiting;
  executionId: string;
  /** The first of the approvals, whose button is the one thing to do next. */
  isFirst?: boolean;
  /** Whether the value is shown with the form; it is not where it stands beside. */
  hasValue?: boolean;
}

/** A wait: its node, its times, and for an approval its form, once it is opened. */
export function Wait({ wait, executionId, isFirst = false, hasValue = true }: WaitProps) {
  const [isOpen, setOpen] = useState(false);
  const asked = askedOf(wait, executionId);
  return (
    <>
      <div className="row spread wait-head">
        <div>
          <h2>{asked ? titleOf({ title: wait.title ?? "", nodeId: wait.nodeId }) : `Delay ${wait.nodeId}`}</h2>
          <Times wait={wait} />
        </div>
        {asked && (
          <div className="row">
            {wait.url && <CopyButton text={wait.url} label="Copy link" name="Copy the approval link" />}
            <Button isCompact look={isFirst && !isOpen ? "primary" : "plain"} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {isOpen ? "Close" : "Answer"}
            </Button>
          </div>
        )}
      </div>
      {asked && isOpen && <Answering asked={asked} message={wait.message ?? ""} hasValue={hasValue} />}
    </>
  );
}

function Answering({ asked, message, hasValue }: { asked: Asked; message: string; hasValue: boolean }) {
  return (
    <div className="stack wait-body">
      {hasValue ? <Question executionId={asked.executionId} nodeId={asked.nodeId} message={message} /> : <Message text={message} />}
      <AnswerForm asked={asked} />
    </div>
  );
}

function Times({ wait: { kind, nodeId, since, until, executionId } }: { wait: Waiting }) {
  return (
    <p className="row small muted wait-times">
      {executionId && (
        <span>
          in <Link href={`/app/executions/${executionId}?${new URLSearchParams({ node: nodeId })}`}>{executionId.slice(0, 8)}</Link>
        </span>
      )}
      {kind === "approval" ? (
        <>
          <span>
            Node {nodeId}, asked <Ago at={since} />
          </span>
          <span>
            <Deadline until={until} />
          </span>
        </>
      ) : (
        <span>
          goes on <Until until={until} />
        </span>
      )}
    </p>
  );
}
