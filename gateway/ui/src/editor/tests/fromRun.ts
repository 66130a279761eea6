/** A test made of a run: its inputs, and the outputs of nodes that cost something, to be pinned at will. */

import { withAssetIds } from "../../api/assets";
import { get } from "../../api/client";
import type { ExecutionDetail, Field } from "../../api/types";
import { executionPath } from "../../executions/execution/state";
import { isTruncated, outputsToPin } from "../running/values/values";
import type { Pins } from "../running/values/pins";
import { EMPTY_TEST, formOf, nameFrom, type TestDraft } from "./testDraft";

/** Types of nodes that call somebody. */
const CALLING = new Set(["httpRequest", "mcpTool", "agent", "workflow", "forEach"]);

/** A run from which a test is made, with the nodes whose outputs may be pinned. */
export interface SourceRun {
  execution: ExecutionDetail;
  draft: TestDraft;
  pinnable: string[];
}

/** Read an execution as the begin of a test. Throws where its inputs were not recorded. */
export async function readSource(executionId: string, fields: readonly Field[]): Promise<SourceRun> {
  const execution = await get<ExecutionDetail>(executionPath(executionId));
  if (execution.inputs === null) throw new Error("The inputs of this run were not recorded, so that it can be no test.");
  const inputs = isTruncated(execution.inputs) ? await get<Record<string, unknown>>(execution.inputs.url) : execution.inputs;
  const pinnable = execution.nodes.filter((node) => node.status === "completed" && (node.creditsCost > 0 || CALLING.has(node.type)));
  return {
    execution,
    draft: { ...EMPTY_TEST, ...formOf(fields, withAssetIds(inputs)), name: nameFrom(wordsOf(inputs) || `run-${executionId.slice(0, 8)}`) },
    pinnable: pinnable.map((node) => node.id),
  };
}

/** The first short text among the inputs: it tells one run from another. */
function wordsOf(inputs: Record<string, unknown>): string {
  const found = Object.values(inputs).find((each) => typeof each === "string" && each.length <= 60 && !each.startsWith("http"));
  return typeof found === "string" ? found : "";
}

/** The outputs of nodes in a run, as pins keep them. */
export async function pinsFrom(executionId: string, nodeIds: readonly string[]): Promise<Pins> {
  const found = await Promise.all(nodeIds.map(async (id) => [id, await outputsToPin(executionId, id)] as const));
  return Object.fromEntries(found.flatMap(([id, outputs]) => (outputs ? [[id, outputs]] : [])));
}
