/** Tests of a workflow and their runs: answers, paths and words. */

import { WORKFLOWS } from "./paths";
import type { WorkflowTest as Test, WorkflowTestList } from "./schemas";

export type Verdict = "passed" | "failed" | "error";

/** A workflow of the account that gives a score for the run of a test. */
export interface Judge {
  workflow: string;
  /** Expressions by the names of its inputs. */
  inputs: Record<string, string>;
}

/** A test as it is saved. */
export interface TestBody {
  inputs: Record<string, unknown>;
  expect: string[];
  pinned: Record<string, Record<string, unknown>>;
  judge: Judge | null;
}

export type WorkflowTest = TestBody & Pick<Test, "name"> & { lastRun: (NonNullable<Test["lastRun"]> & { verdict: Verdict }) | null };
export type Tests = Omit<WorkflowTestList, "rows"> & { rows: WorkflowTest[] };

/** An expectation that did not hold. */
export interface UnmetExpectation {
  /** Its place in `expect`. */
  index: number;
  expression: string;
  /** Values that it saw, by the paths that it names. */
  values: Record<string, unknown>;
  /** The reason why it could not be evaluated; null: it is false. */
  reason: string | null;
}

export interface TestResult {
  name: string;
  verdict: Verdict | null;
  status: string;
  executionId: string | null;
  judgeExecutionId?: string | null;
  judge?: unknown;
  error: { code: string; message: string } | null;
  unmet: UnmetExpectation[];
  creditsCost: number;
  durationMs: number | null;
}

export interface TestRun {
  testRunId: string;
  workflowSlug: string;
  /** The version that ran; null: the draft. */
  version: number | null;
  status: "processing" | "completed" | "cancelled";
  counts: Record<Verdict, number>;
  tests: TestResult[];
  creditsCost: number;
  createdAt: string;
  completedAt: string | null;
}

export const MOST_TESTS = 200;
export const MOST_EXPECTATIONS = 50;
export const TEST_NAME = /^[a-z][a-z0-9-]{0,31}$/;
export const TEST_RUNS = "/api/test-runs";

export function testsPath(slug: string): string {
  return `${WORKFLOWS}/${slug}/tests`;
}

export function testPath(slug: string, name: string): string {
  return `${testsPath(slug)}/${name}`;
}

export function testRunPath(id: string): string {
  return `${TEST_RUNS}/${id}`;
}
