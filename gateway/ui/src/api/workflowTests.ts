/** Tests of a workflow and their runs: answers, paths and words. */

import { WORKFLOWS } from "./paths";
import type { WorkflowTest as AnyTest, WorkflowTestRun as AnyRun, WorkflowTestList } from "./schemas";

export type { StartedTestRun } from "./schemas";
export type Verdict = "passed" | "failed" | "error";

/** A workflow of the account that gives a score for the run of a test. */
export interface Judge {
  workflow: string;
  /** Expressions by the names of its inputs. */
  inputs: Record<string, string>;
}

/** A test as it is saved. */
export interface TestBody extends Pick<AnyTest, "inputs" | "expect"> {
  /** Values by node and output socket. */
  pinned: Record<string, Record<string, unknown>>;
  judge: Judge | null;
}

export interface WorkflowTest extends TestBody, Pick<AnyTest, "name"> {
  lastRun: (NonNullable<AnyTest["lastRun"]> & { verdict: Verdict }) | null;
}

export interface Tests extends Pick<WorkflowTestList, "draft"> {
  rows: WorkflowTest[];
}

export interface TestResult extends Omit<AnyRun["rows"][number], "verdict" | "error"> {
  verdict: Verdict | null;
  error: { code?: string; message?: string } | null;
}

/** An expectation after its test has run. */
export type Expectation = TestResult["expectations"][number];

export interface TestRun extends Omit<AnyRun, "rows"> {
  rows: TestResult[];
}

export const MOST_TESTS = 200;
export const MOST_EXPECTATIONS = 50;
export const TEST_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const TEST_RUNS = "/api/test-runs";

export function testsPath(slug: string): string {
  return `${WORKFLOWS}/${slug}/tests`;
}

export function testPath(slug: string, name: string): string {
  return `${testsPath(slug)}/${name}`;
}

export function testRunPath(id: string): string {
  return `${TEST_RUNS}/${id}`;
}
