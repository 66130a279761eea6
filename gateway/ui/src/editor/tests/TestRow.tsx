import { useEffect, useState } from "react";
import { call } from "../../api/client";
import { invalidate } from "../../api/resource";
import { type TestBody, type TestResult, testPath, testsPath, type WorkflowTest } from "../../api/workflowTests";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { StatusBadge } from "../../components/StatusBadge";
import { toast } from "../../components/Toast";
import { useStore } from "../document/store";
import { TestOutcome } from "./TestOutcome";
import { showTestRun } from "./useTests";
import { VerdictBadge } from "./VerdictBadge";

interface Props {
  test: WorkflowTest;
  /** Its part in the test run that is shown. */
  result: TestResult | undefined;
  isBusy: boolean;
  onRun: () => void;
  onEdit: () => void;
}

/** One test: its verdict, which opens to its expectations, and the actions on it. */
export function TestRow({ test, result, isBusy, onRun, onEdit }: Props) {
  const { slug } = useStore();
  const { name, lastRun } = test;
  const [isOpen, setOpen] = useState(false);
  const verdict = result?.verdict;
  // A test that did not pass says why at once.
  useEffect(() => setOpen(verdict === "failed" || verdict === "error"), [verdict]);
  const shown = verdict ?? (result ? undefined : lastRun?.verdict);
  return (
    <li aria-label={name}>
      <div className="row spread">
        {result ? (
          <button type="button" className="test-name" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {name}
          </button>
        ) : (
          <strong>{name}</strong>
        )}
        {result && !verdict && <StatusBadge status={result.status} />}
        {shown && <VerdictBadge verdict={shown} />}
      </div>
      <p className="small muted">
        {test.expect.length === 1 ? "1 expectation" : `${test.expect.length} expectations`}
        {Object.keys(test.pinned).length > 0 && `, ${Object.keys(test.pinned).length} pinned`}
        {test.judge && `, judged by ${test.judge.workflow}`}
        {!result && lastRun && (
          <>
            {" · "}
            <button type="button" className="as-link" onClick={() => showTestRun(lastRun.testRunId)}>
              {lastRun.version === null ? "draft" : `version ${lastRun.version}`}, <Ago at={lastRun.at} />
            </button>
          </>
        )}
      </p>
      {result && isOpen && <TestOutcome result={result} />}
      <div className="row test-actions">
        <Button look="quiet" isCompact disabled={isBusy} onClick={onRun} aria-label={`Run ${name}`}>
          Run
        </Button>
        <Button look="quiet" isCompact onClick={onEdit} aria-label={`Edit ${name}`}>
          Edit
        </Button>
        <Button look="quiet" isCompact onClick={() => void remove(slug, test)} aria-label={`Delete ${name}`}>
          Delete
        </Button>
      </div>
    </li>
  );
}

async function remove(slug: string, { name, lastRun: _, ...test }: WorkflowTest): Promise<void> {
  try {
    await call("DELETE", testPath(slug, name));
    toast(`Deleted the test "${name}"`, { label: "Undo", run: () => void putBack(slug, name, test) });
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(testsPath(slug));
}

async function putBack(slug: string, name: string, { inputs, expect, pinned, judge }: TestBody): Promise<void> {
  try {
    await call("PUT", testPath(slug, name), { inputs, expect, pinned, judge });
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(testsPath(slug));
}
