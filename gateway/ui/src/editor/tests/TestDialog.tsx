import { useEffect, useMemo, useState } from "react";
import { ApiError, call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { TEST_NAME, testPath, testsPath, type WorkflowTest } from "../../api/workflowTests";
import { Button } from "../../components/Button";
import { Dialog, DialogEnd } from "../../components/Dialog";
import { Loading } from "../../components/States";
import { TextField } from "../../components/TextField";
import { toast } from "../../components/Toast";
import { FormField } from "../../playground/FormField";
import "../../playground/form.css";
import { useDocument, useStore } from "../document/store";
import { fieldsOf, filled } from "../running/form";
import { useRecent, useRecorded } from "../running/recent";
import { useRunning } from "../running/runs";
import type { Variables } from "../settings/expression/paths";
import { Expectations } from "./Expectations";
import { readSource } from "./fromRun";
import { JudgeFields } from "./JudgeFields";
import { PinFields } from "./PinFields";
import { useSample } from "./sample";
import { bodyOf, draftOf, EMPTY_TEST, type TestDraft } from "./testDraft";
import { useTestRun, resultOf } from "./useTests";

interface Props {
  /** The test to edit; null makes a new one. */
  test: WorkflowTest | null;
  /** Id of the execution whose inputs a new test takes; empty for none. */
  source: string;
  taken: readonly string[];
  onClose: () => void;
}

/** Inputs, expectations, pinned outputs and the judge of a test. */
export default function TestDialog({ test, source, taken, onClose }: Props) {
  const document = useDocument();
  const changed = useRunning(({ form }) => form);
  const [draft, setDraft] = useState<TestDraft | null>(() => {
    if (test) return draftOf(fieldsOf(document), test);
    return source ? null : { ...EMPTY_TEST, form: filled(document, changed) };
  });
  const [pinnable, setPinnable] = useState<string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the form begins with the run, once
  useEffect(() => {
    if (!source || test) return;
    readSource(source, fieldsOf(document)).then(
      (found) => {
        setDraft(found.draft);
        setPinnable(found.pinnable);
      },
      (error: Error) => (toast(error.message), onClose()),
    );
  }, []);
  const title = test ? `Test "${test.name}"` : source ? "Add a run as a test" : "New test";
  return (
    <Dialog title={title} onClose={onClose} isWide>
      {draft ? (
        <Fields draft={draft} onChange={(changes) => setDraft({ ...draft, ...changes })} isNew={!test} taken={taken} source={source} pinnable={pinnable} onClose={onClose} />
      ) : (
        <Loading height="20rem" />
      )}
    </Dialog>
  );
}

interface FieldsProps extends Omit<Props, "test"> {
  draft: TestDraft;
  isNew: boolean;
  pinnable: string[];
  onChange: (changes: Partial<TestDraft>) => void;
}

function Fields({ draft, isNew, taken, source, pinnable, onChange, onClose }: FieldsProps) {
  const { slug } = useStore();
  const fields = fieldsOf(useDocument());
  const [fault, setFault] = useState<{ field: string; message: string } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const sample = useSampleOf(draft, source);
  const save = async (): Promise<void> => {
    const refused = isNew ? nameFault(draft.name, taken) : "";
    if (refused) return setFault({ field: "name", message: refused });
    setBusy(true);
    try {
      await call("PUT", testPath(slug, draft.name), bodyOf(fields, draft));
      toast(`Saved the test "${draft.name}"`);
      invalidate(testsPath(slug));
      onClose();
    } catch (error) {
      const field = error instanceof ApiError ? String(error.details.field ?? "") : "";
      setFault({ field, message: (error as Error).message });
      setBusy(false);
    }
  };
  return (
    <>
      {isNew && (
        <TextField
          label="Name"
          hint="Small letters, digits and hyphens."
          value={draft.name}
          fault={fault?.field === "name" ? fault.message : undefined}
          autoFocus
          spellCheck={false}
          onChange={(name) => onChange({ name })}
        />
      )}
      <div className="test-columns">
        <section className="stack form" aria-label="Inputs">
          <h3>Inputs</h3>
          {fields.length === 0 && <p className="hint">This workflow asks for nothing.</p>}
          {fields.map((field) => (
            <FormField
              key={field.name}
              field={field}
              value={draft.form[field.name] ?? (field.type === "toggle" ? false : "")}
              onChange={(value) => onChange({ form: { ...draft.form, [field.name]: value } })}
            />
          ))}
          <Strays draft={draft} onChange={onChange} />
          <PinFields pinned={draft.pinned} source={source} pinnable={pinnable} onChange={(pinned) => onChange({ pinned })} />
        </section>
        <section className="stack form" aria-label="Expectations">
          <Expectations draft={draft} sample={sample} onChange={(expect) => onChange({ expect })} />
          <JudgeFields judge={draft.judge} sample={sample} onChange={(judge) => onChange({ judge })} />
        </section>
      </div>
      <DialogEnd fault={fault && fault.field !== "name" ? fault.message : null} isBusy={isBusy} busyLabel="Saving…" onClose={onClose} onGo={() => void save()}>
        Save test
      </DialogEnd>
    </>
  );
}

function nameFault(name: string, taken: readonly string[]): string {
  if (!TEST_NAME.test(name)) return "A name begins with a small letter, and has small letters, digits and hyphens, at most 32.";
  return taken.includes(name) ? "Another test has this name." : "";
}

/** Values of the run over which expressions are tried: the one that the test is made of, its own, or the newest. */
function useSampleOf({ name, judge }: TestDraft, source: string): Variables {
  const result = resultOf(useTestRun().run, name);
  const tested = result?.executionId;
  const shown = useRunning(({ run }) => (run?.execution ? run.executionId : undefined));
  const recent = useRecent().find(({ status }) => status === "completed")?.executionId;
  const seen = useSample(useRecorded(source || tested || shown || recent));
  const judged = judge && !source ? result?.judge : null;
  return useMemo(() => (judged ? { ...seen, judge: judged.result } : seen), [seen, judged]);
}

/** Inputs for which the draft has no field any more. */
function Strays({ draft: { strays }, onChange }: Pick<FieldsProps, "draft" | "onChange">) {
  const names = Object.keys(strays);
  if (names.length === 0) return null;
  return (
    <div className="note warn">
      <p>
        The draft asks for no {names.join(", ")}. The test keeps {names.length === 1 ? "it" : "them"}.
      </p>
      <Button isCompact onClick={() => onChange({ strays: {} })}>
        Leave {names.length === 1 ? "it" : "them"} out
      </Button>
    </div>
  );
}
