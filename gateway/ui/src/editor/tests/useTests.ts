/** The tests of the workflow in the editor, and the run of them that is shown. */

import { call } from "../../api/client";
import { useRenewal } from "../../api/renewal";
import { invalidate, useResource } from "../../api/resource";
import { type TestResult, type TestRun, testRunPath, type Tests, testsPath } from "../../api/workflowTests";
import { toast } from "../../components/Toast";
import { setParameters, useParameter } from "../../shell/router";
import { useStore } from "../document/store";

/** Name of the parameter of the address that has the id of the shown run. */
const SHOWN = "testRun";

export function useTests() {
  const { slug } = useStore();
  const { data, error, reload } = useResource<Tests>(testsPath(slug));
  return { tests: data?.rows, draft: data?.draft, error, reload };
}

/** The test run that is shown, read again while it goes on. */
export function useTestRun(): { run: TestRun | undefined; fault: string } {
  const [id] = useParameter(SHOWN, "");
  const path = id ? testRunPath(id) : null;
  const { data, error } = useResource<TestRun>(path);
  useRenewal(path ?? "", path !== null && (data?.status === "processing" || data === undefined) && !error);
  return { run: data, fault: data ? "" : (error?.message ?? "") };
}

export function hideTestRun(): void {
  setParameters({ [SHOWN]: "" });
}

/** Show the run of which a result is. */
export function showTestRun(id: string): void {
  invalidate(testRunPath(id));
  setParameters({ [SHOWN]: id });
}

/** Run tests against the draft, or all of them. */
export async function startTests(slug: string, names?: string[]): Promise<void> {
  const { testRunId } = await call<{ testRunId: string }>("POST", `${testsPath(slug)}/run`, { version: "draft", ...(names && { names }) });
  showTestRun(testRunId);
}

export async function cancelTests(id: string): Promise<void> {
  try {
    await call("POST", `${testRunPath(id)}/cancel`);
    toast("The tests stop");
  } catch (error) {
    toast((error as Error).message);
  }
  invalidate(testRunPath(id));
}

export function resultOf(run: TestRun | undefined, name: string): TestResult | undefined {
  return run?.rows.find((each) => each.name === name);
}
