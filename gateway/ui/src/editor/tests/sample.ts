/** Values that expectations see: those of one run of the workflow. */

import { useEffect, useState } from "react";
import { get } from "../../api/client";
import type { ExecutionDetail, NodeValues } from "../../api/types";
import { isTruncated, valuesPath } from "../running/values/values";
import type { Variables } from "../settings/expression/paths";
import { memberPath } from "../settings/expression/paths";

/** Most nodes whose outputs are read to try expressions over. */
const MOST_NODES = 30;
const NONE: Variables = {};

async function outputsOf(executionId: string, id: string): Promise<unknown> {
  const { outputs } = await get<NodeValues>(valuesPath(executionId, id));
  if (!outputs) return null;
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, isTruncated(value) ? null : value]));
}

/** The variables of an expectation, as the run of an execution has them. */
async function variablesOf(execution: ExecutionDetail): Promise<Variables> {
  const { executionId, result, creditsCost: cost, durationMs: ms, status } = execution;
  const nodes = await Promise.all(
    execution.nodes.slice(0, MOST_NODES).map(async (node) => {
      const outputs = node.status === "completed" ? await outputsOf(executionId, node.id).catch(() => null) : null;
      return [node.id, { status: node.status, outputs, creditsCost: node.creditsCost }] as const;
    }),
  );
  return { result, status, cost, ms, nodes: Object.fromEntries(nodes) };
}

/** The values that expectations are completed from and tried over; none before a run is chosen and read. */
export function useSample(execution: ExecutionDetail | undefined): Variables {
  const [variables, setVariables] = useState(NONE);
  const mark = execution && `${execution.executionId} ${execution.status}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer is made anew at each reading
  useEffect(() => {
    let isWanted = true;
    setVariables(NONE);
    if (execution) variablesOf(execution).then((found) => isWanted && setVariables(found), () => {});
    return () => {
      isWanted = false;
    };
  }, [mark]);
  return variables;
}

const SHORT = 60;
const MOST_SUGGESTED = 6;

/** Expectations that the run meets, to begin with. */
export function suggestionsFrom({ status, result, cost }: Variables): string[] {
  const found = status === undefined ? [] : ['status == "completed"'];
  found.push(...resultSuggestions("result", result));
  if (typeof cost === "number" && cost > 0) found.push(`cost <= ${cost}`);
  return found.slice(0, MOST_SUGGESTED);
}

function resultSuggestions(path: string, value: unknown): string[] {
  if (typeof value === "string") {
    const isShort = value.length <= SHORT && !value.startsWith("http");
    return [isShort ? `${path} == ${JSON.stringify(value)}` : `size(${path}) > 0`];
  }
  if (typeof value === "number" || typeof value === "boolean") return [`${path} == ${value}`];
  if (Array.isArray(value)) return [`size(${path}) == ${value.length}`];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, each]) => resultSuggestions(memberPath(path, name), each));
}

