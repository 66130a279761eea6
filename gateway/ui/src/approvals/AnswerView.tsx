import type { ReactNode } from "react";
import type { Answer, Answerer } from "../api/approvals";
import type { Field } from "../api/types";
import { Ago } from "../components/Ago";
import { ByKey } from "../components/Fact";
import { Tree } from "../playground/Result";
import { DECIDED } from "./words";
import "./answer.css";

interface Props {
  answer: Answer;
  heading?: ReactNode;
  /** The form, whose labels name the fields where it is known. */
  form?: Field[];
}

/** A given answer: its decision, the one who gave it, its note and the fields that were filled in. */
export function AnswerView({ answer, heading, form = [] }: Props) {
  const { decision, by, at, note, fields } = answer;
  const entries = Object.entries(fields).filter(([, value]) => value !== null && value !== "");
  return (
    <div className="stack answer-view">
      <div className="row">
        {heading}
        <span className={`badge ${decision === "approve" ? "good" : "warn"}`}>{DECIDED[decision]}</span>{" "}
        <span className="muted">
          <By by={by} /> <Ago at={at} />
        </span>
      </div>
      {note && <blockquote>{note}</blockquote>}
      {entries.length > 0 && (
        <dl className="answer-fields">
          {entries.map(([name, value]) => (
            <div key={name}>
              <dt>{form.find((field) => field.name === name)?.label ?? name}</dt>
              <dd>{typeof value === "object" && value !== null ? <Tree value={value} /> : String(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

export function By({ by }: { by: Answerer }) {
  if (by.kind === "link") return "by its approval link,";
  if (by.kind === "timeout") return "by itself when the time to answer was over,";
  if (by.kind === "session") return "by this account,";
  return (
    <>
      {by.id ? <ByKey id={by.id} /> : "by a key"},
    </>
  );
}

/** The answer among the outputs of an approval; undefined before it, and where values are not kept. */
export function answerIn(outputs: Record<string, unknown> | null | undefined): Answer | undefined {
  const found = outputs?.["answer-out"];
  return typeof found === "object" && found !== null && "decision" in found ? (found as Answer) : undefined;
}
