/** An answer to an approval as it is given: fields, note, and the refusals of the server. */

import { useState } from "react";
import { type Answer, type Asked, type Decision, giveAnswer, LONGEST_NOTE, showAnswered } from "../api/approvals";
import { ApiError } from "../api/client";
import type { Field } from "../api/types";
import { toast } from "../components/Toast";
import { type InputForm, useInputForm } from "../playground/inputForm";
import { check, type Faults, inputsOf, shown } from "../playground/inputs";

interface AnswerState {
  form: InputForm;
  note: string;
  noteFault: string | undefined;
  setNote: (note: string) => void;
  /** The decision that is on its way, or has arrived. */
  sent: Decision | null;
  /** The sentence for an approval that waits no more; empty while it does. */
  over: string;
  /** Answer; false where a field is at fault. */
  send: (decision: Decision) => Promise<boolean>;
}

/** The fault of the note among those of the fields: no field has this name. */
const NOTE = " note";

export function useAnswer(asked: Asked, onAnswered?: (answer: Answer) => void): AnswerState {
  const form = useInputForm(asked.fields, () => begin(asked.fields));
  const [note, setText] = useState("");
  const [sent, setSent] = useState<Decision | null>(null);
  const [over, setOver] = useState("");
  const setNote = (text: string): void => {
    setText(text);
    const { [NOTE]: _, ...others } = form.faults;
    form.setFaults(others);
  };
  /** Show the error of a sent answer; false where a field is at fault. */
  const show = (error: unknown): boolean => {
    if (error instanceof ApiError && error.code === "INVALID_INPUTS" && typeof error.details.field === "string") {
      form.setFaults({ [error.details.field]: error.message });
      return false;
    }
    const isOver = error instanceof ApiError && ["APPROVAL_ANSWERED", "APPROVAL_NOT_FOUND"].includes(error.code);
    const sentence = isOver ? overInWords(error) : (error as Error).message;
    if (isOver) {
      setOver(sentence);
      showAnswered();
    }
    toast(sentence);
    return true;
  };
  const send = async (decision: Decision): Promise<boolean> => {
    const fields = decision === "approve" ? asked.fields : asked.fields.map(loosened);
    const faults = { ...check(fields, form.draft), ...noteFault(note) };
    form.setFaults(faults);
    if (Object.keys(faults).length > 0) return false;
    setSent(decision);
    try {
      const answer = await giveAnswer(asked, { decision, fields: inputsOf(fields, form.draft), ...(note.trim() && { note: note.trim() }) });
      toast(decision === "approve" ? "Approved: the run goes on" : "Refused: the run takes its other way");
      showAnswered();
      onAnswered?.(answer);
      return true;
    } catch (error) {
      setSent(null);
      return show(error);
    }
  };
  return { form, note, noteFault: form.faults[NOTE], setNote, sent, over, send };
}

function begin(fields: Field[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.name, shown(field, field.default)]));
}

/** A field as a refusal takes it: of its type, and nothing more. */
function loosened({ min: _min, max: _max, step: _step, maxLength: _length, ...field }: Field): Field {
  return { ...field, required: false };
}

function noteFault(note: string): Faults {
  const length = [...note.trim()].length;
  if (length <= LONGEST_NOTE) return {};
  return { [NOTE]: `At most ${LONGEST_NOTE.toLocaleString("en")} characters; these are ${length.toLocaleString("en")}.` };
}

function overInWords({ code, details }: ApiError): string {
  if (code === "APPROVAL_NOT_FOUND") return "Nobody is asked any more: the run has ended, or its time to answer is over.";
  return `The first answer counts: it is ${details.decision === "approve" ? "approved" : "refused"} already.`;
}
