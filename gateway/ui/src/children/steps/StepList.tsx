import type { ReactNode } from "react";
import { By } from "../../approvals/AnswerView";
import { addressOf, DECIDED } from "../../approvals/words";
import { Ago, credits, duration } from "../../components/Ago";
import { StatusBadge } from "../../components/StatusBadge";
import { SocketValue } from "../../editor/running/values/SocketValue";
import { isTruncated } from "../../editor/running/values/values";
import { Tree } from "../../playground/Result";
import { Link } from "../../shell/router";
import { type AgentStep, asks, type ChatMessage, messagesIn, statusOf, type StepApproval, type ToolCall, turnIn } from "./steps";
import "./steps.css";

/** The calls of an agent in their order, each with its values, time and cost, and its execution. */
export function StepList({ steps, hasHeading = true }: { steps: AgentStep[]; hasHeading?: boolean }) {
  const spent = steps.reduce((sum, step) => sum + step.creditsCost, 0);
  return (
    <section className="stack tight agent-steps" aria-label="Steps">
      <div className="row spread">
        {hasHeading ? <h3>{countOf(steps)}</h3> : <span className="label">{countOf(steps)}</span>}
        {spent > 0 && <span className="muted small figures">{credits(spent)}</span>}
      </div>
      {steps.length === 0 && <p className="muted small">None so far.</p>}
      <ol className="step-list">
        {steps.map((step) => (
          <li key={step.number} data-status={statusOf(step)} data-kind={step.kind}>
            <Step step={step} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function countOf(steps: AgentStep[]): string {
  return steps.length === 1 ? "1 step" : `${steps.length} steps`;
}

function Step({ step }: { step: AgentStep }) {
  const { number, kind, name, durationMs, creditsCost, approval } = step;
  return (
    <>
      <details>
        <summary>
          <span className="step-number figures muted">{number}</span>
          <span className="step-name">
            <span className="hidden-visually">{kind === "model" ? "Model " : "Tool "}</span>
            {kind === "tool" ? <code>{name}</code> : name}
          </span>
          <StatusBadge status={statusOf(step)} />
          <span className="step-about muted">{aboutOf(step)}</span>
          <span className="step-figures figures muted">
            {durationMs !== null && duration(durationMs)}
            {creditsCost > 0 && ` · ${credits(creditsCost)}`}
          </span>
        </summary>
        <div className="stack tight step-body">
          {step.error && (
            <div className={step.approval?.decision === "refuse" ? "note warn small" : "note bad small"}>
              <p>{step.error.message}</p>
              <code>{step.error.code}</code>
            </div>
          )}
          <Part title={kind === "model" ? "New messages" : "Arguments"}>{kind === "model" ? <Messages input={step.input} /> : <Shown name="Arguments" value={step.input} />}</Part>
          {step.output !== null && (
            <Part title={kind === "model" ? "Answer" : "Result"}>{kind === "model" ? <Answer output={step.output} /> : <Shown name="Result" value={step.output} />}</Part>
          )}
          {step.childExecutionId && (
            <Link className="small" href={`/app/executions/${step.childExecutionId}`}>
              Its execution
            </Link>
          )}
        </div>
      </details>
      {approval && <Approval step={step} approval={approval} />}
    </>
  );
}

/** The most telling words of a step, in a line. */
function aboutOf(step: AgentStep): string {
  if (step.error) return step.error.message;
  if (step.kind === "tool") return inLine(step.input);
  const turn = turnIn(step.output);
  if (turn?.calls?.length) return turn.calls.map(({ name }) => name).join(", ");
  return turn?.text ?? "";
}

function inLine(value: unknown): string {
  if (typeof value !== "object" || value === null || isTruncated(value)) return "";
  return Object.entries(value)
    .map(([name, each]) => `${name}: ${typeof each === "string" ? each : JSON.stringify(each)}`)
    .join(", ");
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <p className="step-part">{title}</p>
      {children}
    </section>
  );
}

function Shown({ name, value }: { name: string; value: unknown }) {
  return value === null ? <p className="muted small">Not kept.</p> : <SocketValue name={name} value={value} />;
}

const ROLES: Record<ChatMessage["role"], string> = { user: "Prompt", assistant: "Model", tool: "Result" };

function Messages({ input }: { input: unknown }) {
  const messages = messagesIn(input);
  if (!messages) return <Shown name="New messages" value={input} />;
  return (
    <ul className="step-messages">
      {messages.map((message, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the messages of a record do not change
        <li key={place} data-role={message.role}>
          <span className="muted small">{message.isError ? "Error" : (ROLES[message.role] ?? message.role)}</span>
          <SocketValue name={`Message ${place + 1}`} value={message.text ?? ""} />
          {message.files && message.files.length > 0 && <SocketValue name={`Files of message ${place + 1}`} value={message.files} />}
        </li>
      ))}
    </ul>
  );
}

function Answer({ output }: { output: unknown }) {
  const turn = turnIn(output);
  if (!turn) return <Shown name="Answer" value={output} />;
  return (
    <>
      {turn.text && <SocketValue name="Answer" value={turn.text} />}
      {turn.calls && turn.calls.length > 0 && (
        <ul className="step-calls">
          {turn.calls.map((call) => (
            <Call key={call.id} call={call} />
          ))}
        </ul>
      )}
    </>
  );
}

function Call({ call }: { call: ToolCall }) {
  return (
    <li>
      <span className="small">
        Asks for <code>{call.name}</code>
      </span>
      <Tree value={call.arguments ?? {}} />
    </li>
  );
}

/** The approval before a call: the way to answer it, or its answer. */
function Approval({ step, approval }: { step: AgentStep; approval: StepApproval }) {
  if (asks(step) && approval.executionId) {
    return (
      <p className="row step-approval">
        <span>Waits until somebody approves the call.</span>
        <Link className="button compact" href={addressOf({ executionId: approval.executionId, nodeId: "step" })}>
          Answer
        </Link>
      </p>
    );
  }
  if (!approval.decision) return null;
  return (
    <p className="step-approval small muted">
      <span className={`badge ${approval.decision === "approve" ? "good" : "warn"}`}>{DECIDED[approval.decision]}</span>{" "}
      {approval.by && <By by={approval.by} />} {approval.at && <Ago at={approval.at} />}
      {approval.note && <> “{approval.note}”</>}
    </p>
  );
}
