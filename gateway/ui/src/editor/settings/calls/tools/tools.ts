/** The tools of an agent: workflows of the account, and tools of MCP servers. */

import type { GraphNode } from "../../../../api/types";
import type { Edit } from "../../../document/edits";
import { setSetting } from "../../../document/edits";
import type { ServerTool, ServerTools } from "./serverTools";

export const AGENT = "agent";
export const TOOLS = "tools";
export const APPROVE = "approve";

export interface WorkflowTool {
  workflow: string;
}

export type Tool = WorkflowTool | ServerTool;

type Data = GraphNode["data"];

export function isWorkflow(tool: Tool): tool is WorkflowTool {
  return "workflow" in tool;
}

export function toolsOf(data: Data): Tool[] {
  const found = data[TOOLS];
  return Array.isArray(found) ? found.filter((each): each is Tool => typeof each === "object" && each !== null) : [];
}

/** The names of tools before whose calls a person is asked. */
export function approvedOf(data: Data): string[] {
  const found = data[APPROVE];
  return Array.isArray(found) ? found.filter((each): each is string => typeof each === "string") : [];
}

/** The workflows among the tools of nodes. */
export function workflowsOf(data: Data): string[] {
  return toolsOf(data).flatMap((tool) => (isWorkflow(tool) && tool.workflow ? [tool.workflow] : []));
}

/** The names by which the model knows a tool, or all tools of a server as far as they are listed. */
export function namesOf(tool: Tool, listed: (tool: ServerTool) => ServerTools | undefined): string[] {
  if (isWorkflow(tool)) return tool.workflow ? [tool.workflow] : [];
  if (tool.tool) return [nameForModels(tool.tool)];
  return (listed(tool)?.tools ?? []).map(({ name }) => nameForModels(name));
}

const LONGEST = 64;

/** A name as models take it: letters, digits, `_` and `-`. */
export function nameForModels(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, LONGEST) || "tool";
}

/** Take names out of those before which a person is asked. */
export function withoutApproval(node: GraphNode, names: readonly string[]): Edit {
  const left = approvedOf(node.data).filter((each) => !names.includes(each));
  return setSetting(node.id, APPROVE, left.length > 0 ? left : undefined);
}
