import { useRenewal } from "../../api/renewal";
import { useResource } from "../../api/resource";
import type { WorkflowTestList } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Button } from "../../components/Button";
import { useStore } from "../document/store";
import { countOf } from "./state";

const RENEW_MS = 3_000;

/** The tests of the workflow that is open, with their verdict on the draft; undefined until they are read. */
export function useTests(): WorkflowTestList | undefined {
  const { slug } = useStore();
  const path = `/api/workflows/${slug}/tests`;
  const { data } = useResource<WorkflowTestList>(path);
  // No event tells of the end of a test run, which may go on while the dialog is open.
  useRenewal(path, data !== undefined && data.rows.length > 0 && !data.draft?.isCurrent, RENEW_MS);
  return data;
}

interface Props {
  tests: WorkflowTestList;
  isRequired: boolean;
  onRequire: (isRequired: boolean) => void;
  /** Close the dialog, to see the tests. */
  onClose: () => void;
}

/** The verdict of the tests on this very draft, and whether it binds. */
export function TestsSaid({ tests, isRequired, onRequire, onClose }: Props) {
  const store = useStore();
  if (tests.rows.length === 0) return null;
  return (
    <section className="stack" aria-label="Tests">
      <Verdict tests={tests} />
      <div className="row spread">
        <label className="row release-check">
          <input type="checkbox" checked={isRequired} onChange={(event) => onRequire(event.target.checked)} />
          <span>Publish only if all tests have passed on this draft</span>
        </label>
        <Button
          isCompact
          onClick={() => {
            store.set({ panel: "tests" });
            onClose();
          }}
        >
          Show the tests
        </Button>
      </div>
    </section>
  );
}

function Verdict({ tests: { rows, draft } }: { tests: WorkflowTestList }) {
  const count = countOf(rows.length, "test");
  if (!draft?.isCurrent) {
    return (
      <p className="note warn" role="status">
        {draft ? `The draft or a test was changed since the ${count} ran.` : `The ${count} never ran on a draft.`}
      </p>
    );
  }
  const when = (
    <>
      , <Ago at={draft.at} />.
    </>
  );
  if (draft.passed) {
    return (
      <p className="note good" role="status">
        {rows.length === 1 ? "The test" : `All ${rows.length} tests`} passed on this draft{when}
      </p>
    );
  }
  const wrong = rows.filter(({ lastRun }) => lastRun?.testRunId === draft.testRunId && lastRun.verdict !== "passed");
  return (
    <p className="note bad" role="status">
      {draft.failed} of {countOf(draft.total, "test")} did not pass on this draft: {wrong.map(({ name }) => name).join(", ")} (<Ago at={draft.at} />).
    </p>
  );
}
