import { useId, useRef } from "react";
import type { Answer, Asked, Decision } from "../api/approvals";
import { Button } from "../components/Button";
import { InputFields } from "../playground/inputForm";
import { useAnswer } from "./useAnswer";
import "./answer.css";

interface Props {
  asked: Asked;
  onAnswered?: (answer: Answer) => void;
}

/** The form of an approval, a note, and its two buttons. Enter decides nothing: only a button does. */
export function AnswerForm({ asked, onAnswered }: Props) {
  const answer = useAnswer(asked, onAnswered);
  const shown = useRef<HTMLFormElement>(null);
  const decide = async (decision: Decision): Promise<void> => {
    if (await answer.send(decision)) return;
    // The faults are drawn by then.
    setTimeout(() => shown.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };
  if (answer.over) {
    return (
      <p className="note warn" role="status">
        {answer.over}
      </p>
    );
  }
  return (
    <form ref={shown} className="stack answer-form" aria-label={`Answer to ${asked.nodeId}`} noValidate onSubmit={(event) => event.preventDefault()}>
      <InputFields form={answer.form} />
      <Note text={answer.note} fault={answer.noteFault} onChange={answer.setNote} />
      <div className="answer-buttons">
        <Button look="primary" disabled={answer.sent !== null} onClick={() => void decide("approve")}>
          {answer.sent === "approve" ? "Approving…" : "Approve"}
        </Button>
        <Button disabled={answer.sent !== null} onClick={() => void decide("refuse")}>
          {answer.sent === "refuse" ? "Refusing…" : "Refuse"}
        </Button>
      </div>
    </form>
  );
}

function Note({ text, fault, onChange }: { text: string; fault: string | undefined; onChange: (text: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <div className="row spread">
        <label htmlFor={id} className="label">
          Note
        </label>
        <span className="hint">Optional</span>
      </div>
      <textarea
        id={id}
        className="input answer-note"
        rows={2}
        value={text}
        aria-invalid={fault ? true : undefined}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-hint`} className={fault ? "fault" : "hint"}>
        {fault ?? "Kept with the answer; the workflow can use it."}
      </p>
    </div>
  );
}
