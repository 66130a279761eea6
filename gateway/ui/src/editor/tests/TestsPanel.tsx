import { lazy, Suspense, useEffect, useState } from "react";
import { invalidate } from "../../api/resource";
import { MOST_TESTS, type TestRun, type Tests, testsPath, type WorkflowTest } from "../../api/workflowTests";
import { credits } from "../../components/Ago";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { toast } from "../../components/Toast";
import { Link, setParameters, useParameter } from "../../shell/router";
import { useStore } from "../document/store";
import { ReplayPart } from "./ReplayPart";
import { TestRow } from "./TestRow";
import "./tests.css";
import { cancelTests, hideTestRun, resultOf, startTests, useTestRun, useTests } from "./useTests";

// Most sessions of the editor do without them.
const TestDialog = lazy(() => import("./TestDialog"));

/** The tests of the workflow: run against the draft, with the result of each expectation. */
export function TestsPanel() {
  const store = useStore();
  const { tests, draft, error, reload } = useTests();
  const { run, fault } = useTestRun();
  const [edited, setEdited] = useState<WorkflowTest | "new" | null>(null);
  const [source] = useParameter("testFrom", "");
  const [isStarting, setStarting] = useState(false);
  const isLive = run?.status === "processing";
  // The verdicts in the list are those of runs that have ended.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the status changes
  useEffect(() => invalidate(testsPath(store.slug)), [store.slug, run?.status]);
  const start = async (names?: string[]): Promise<void> => {
    setStarting(true);
    try {
      await store.saveNow();
      await startTests(store.slug, names);
    } catch (failure) {
      toast((failure as Error).message);
    }
    void store.dropUnchanged();
    setStarting(false);
  };
  const close = (): void => {
    setEdited(null);
    setParameters({ testFrom: "" });
  };
  return (
    <div className="stack tests-panel">
      <h2>Tests</h2>
      {tests?.length === 0 && <p className="hint">A test runs the draft with inputs that you choose, and checks what you expect of the result. Publishing may require that all pass.</p>}
      <div className="row">
        <Button look={tests?.length ? "primary" : "plain"} isCompact disabled={!tests?.length || isStarting || isLive} onClick={() => void start()}>
          {isStarting || isLive ? "Running…" : "Run all tests"}
        </Button>
        <Button isCompact disabled={!tests || tests.length >= MOST_TESTS} onClick={() => setEdited("new")}>
          New test
        </Button>
      </div>
      {fault && <p className="note bad">{fault}</p>}
      {run && <Summary run={run} />}
      {!tests && (error ? <Failed error={error} retry={reload} /> : <Loading />)}
      <ol className="test-list" aria-label="Tests">
        {tests?.map((test) => (
          <TestRow key={test.name} test={test} result={resultOf(run, test.name)} isBusy={isStarting || isLive} onRun={() => void start([test.name])} onEdit={() => setEdited(test)} />
        ))}
      </ol>
      {draft && <DraftVerdict draft={draft} />}
      <ReplayPart />
      {(edited !== null || source) && tests && (
        <Suspense fallback={null}>
          <TestDialog key={source} test={edited === "new" ? null : edited} source={source} taken={tests.map((each) => each.name)} onClose={close} />
        </Suspense>
      )}
    </div>
  );
}

/** Answer that a publication which requires the tests would get. */
function DraftVerdict({ draft: { isCurrent, passed, failed, total } }: { draft: NonNullable<Tests["draft"]> }) {
  if (!isCurrent) return <p className="hint">The draft or a test was changed since all tests ran last.</p>;
  return <p className="hint">{passed ? "All tests passed on this draft, as it is saved." : `${failed} of ${total} tests did not pass on this draft.`}</p>;
}

/** The test run as a whole. */
function Summary({ run: { testRunId, counts, status, rows, creditsCost, workflowVersion: version } }: { run: TestRun }) {
  const look = status !== "completed" ? "" : counts.passed === rows.length ? " good" : " bad";
  const words = (["passed", "failed", "error"] as const).filter((each) => counts[each] > 0).map((each) => `${counts[each]} ${each}`);
  return (
    <div className={`note test-summary${look}`} role="status" aria-label="Test run">
      <div className="row spread">
        <strong>
          {status === "processing" && `${rows.length - counts.pending} of ${rows.length} ended`}
          {status === "completed" && (counts.passed === rows.length ? (rows.length === 1 ? "The test passed" : `All ${rows.length} passed`) : words.join(", "))}
          {status === "cancelled" && `Cancelled: ${words.join(", ") || "none ended"}`}
        </strong>
        {status === "processing" ? (
          <Button isCompact look="quiet" onClick={() => void cancelTests(testRunId)}>
            Cancel
          </Button>
        ) : (
          <Button isCompact look="quiet" onClick={hideTestRun}>
            Clear
          </Button>
        )}
      </div>
      <p className="small">
        {version === null ? "Against the draft" : `Against version ${version}`}, {credits(creditsCost)}.{" "}
        <Link href="/app/executions?source=test">Executions of tests</Link>
      </p>
    </div>
  );
}
