/** The steps of an agent: calls of its model, and of tools. */

import type { Answerer, Decision } from "../../api/approvals";
import { useEffect } from "react";
import { useResource } from "../../api/resource";
import type { ExecutionNode, NodeValues } from "../../api/types";
import { valuesPath } from "../../editor/running/values/values";

export type AgentStep = NonNullable<NodeValues["steps"]>[number];
export type StepApproval = NonNullable<AgentStep["approval"]>;

/** A call of a tool that the model asks for. */
export interface ToolCall {
  id: string;
  name: string;
  arguments?: Record<string, unknown>;
}

/** A message that the model got. */
export interface ChatMessage {
  role: "user" | "assistant" | "tool";
  text?: string;
  files?: string[];
  calls?: ToolCall[];
  callId?: string;
  isError?: boolean;
}

export interface Turn {
  text?: string;
  calls?: ToolCall[];
}

const AGENT = "agent";

export function isAgent({ type }: Pick<ExecutionNode, "type">): boolean {
  return type === AGENT;
}

/** The messages of a model's step; null where a link or nothing stands for them. */
export function messagesIn(input: unknown): ChatMessage[] | null {
  return Array.isArray(input) && input.every((each) => typeof each?.role === "string") ? (input as ChatMessage[]) : null;
}

/** The turn that a model's step gave; null where a link or nothing stands for it. */
export function turnIn(output: unknown): Turn | null {
  if (typeof output !== "object" || output === null || "truncated" in output) return null;
  return "text" in output || "calls" in output ? (output as Turn) : null;
}

/** Whether a person is asked before the step. */
export function asks({ approval }: AgentStep): boolean {
  return approval !== undefined && approval.decision === null && approval.executionId !== null;
}

/** The status of a step in a word: one that has not begun differs from one that waits for a person. */
export function statusOf(step: AgentStep): string {
  if (asks(step)) return "waiting";
  if (step.approval?.decision === "refuse") return "refused";
  return step.status === "waiting" ? "pending" : step.status;
}

/** The given answer of an approval; null before it. */
export function decisionIn(approval: StepApproval | undefined): { decision: Decision; by: Answerer | null; note: string | null; at: string | null } | null {
  if (!approval?.decision) return null;
  return { ...approval, decision: approval.decision };
}

/** The steps of a node of an execution, read again when the mark changes; null reads nothing. */
export function useSteps(executionId: string | null, nodeId: string, mark: unknown): AgentStep[] | undefined {
  const { data, reload } = useResource<NodeValues>(executionId && valuesPath(executionId, nodeId));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reload` is made anew each time
  useEffect(() => {
    if (data) reload();
  }, [mark]);
  return data?.steps;
}

/** The name of a child of an agent: its step, or the list of tools that it makes. */
export function nameOfChild(steps: readonly AgentStep[] | undefined, executionId: string): string {
  const step = steps?.find((each) => each.childExecutionId === executionId);
  if (step) return `${step.number}. ${step.name}`;
  const asking = steps?.find((each) => each.approval?.executionId === executionId);
  if (asking) return `${asking.number}. Approval`;
  return steps ? "List of tools" : "Call";
}
