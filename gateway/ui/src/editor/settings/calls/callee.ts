/** Workflows that nodes call: their inputs and outputs, and what has changed in them since they were chosen. */

import { useResource } from "../../../api/resource";
import type { GraphNode, Workflow, WorkflowRow } from "../../../api/types";
import type { EditorDocument } from "../../document/document";
import type { Edit } from "../../document/edits";
import { useEditor, useStore } from "../../document/store";
import { workflowsOf } from "./tools/tools";

/** Setting of a node that calls a workflow. */
export const WORKFLOW = "workflow";
/** Member of the canvas's data: versions that were live when somebody last looked, by slug. */
const SEEN = "calledVersions";
const NONE: WorkflowRow[] = [];

/** The slug of the workflow that a node calls; null where it calls none. */
export function calleeOf({ data }: Pick<GraphNode, "data">): string | null {
  const slug = data[WORKFLOW];
  return typeof slug === "string" && slug ? slug : null;
}

/** Whether nodes, or those of graphs inside of them, call a workflow or have it as a tool. */
export function calls(nodes: readonly GraphNode[], slug: string): boolean {
  return nodes.some((node) => calleeOf(node) === slug || workflowsOf(node.data).includes(slug) || calls(innerNodes(node), slug));
}

function innerNodes({ data }: GraphNode): GraphNode[] {
  const nodes = (data.body as { nodes?: unknown } | null | undefined)?.nodes;
  return Array.isArray(nodes) ? nodes : [];
}

/** The workflows of the account. */
export function useWorkflows(): WorkflowRow[] {
  return useResource<WorkflowRow[]>("/api/workflows").data ?? NONE;
}

export function useWorkflow(slug: string | null): WorkflowRow | undefined {
  return useWorkflows().find((row) => row.slug === slug);
}

/** Note the live version of a workflow as one that somebody has looked at. */
export function look(slug: string, version: number): Edit {
  return (document) => {
    const seen = { ...seenOf(document), [slug]: version };
    return { ...document, editor: { ...document.editor, [SEEN]: seen } };
  };
}

function seenOf({ editor }: EditorDocument): Record<string, number> {
  return (editor[SEEN] as Record<string, number> | undefined) ?? {};
}

type Graph = Pick<Workflow, "nodes">;
type Described = { name: string; words: string };

const FIELD_TYPES: Record<string, string> = { textarea: "text", pills: "choice", slider: "number", toggle: "switch" };

/** The inputs of a graph, each with its type, and its named outputs. */
function interfaceOf({ nodes }: Graph): { inputs: Described[]; outputs: Described[] } {
  const membersOf = (type: string): Record<string, unknown>[] => {
    const fields = nodes.find((node) => node.type === type)?.data.fields;
    return Array.isArray(fields) ? fields : [];
  };
  const inputs = membersOf("requestInput").map(({ name, type, required, default: given }) => {
    const isRequired = required === true && (given === undefined || given === null);
    return { name: String(name), words: `${FIELD_TYPES[String(type)] ?? type}${isRequired ? ", required" : ""}` };
  });
  const outputs = membersOf("responseOutput").map(({ name }) => ({ name: String(name), words: "" }));
  return { inputs, outputs };
}

function differences(kind: string, before: readonly Described[], now: readonly Described[]): string[] {
  const find = (all: readonly Described[], { name }: Described) => all.find((each) => each.name === name);
  return [
    ...before.filter((each) => !find(now, each)).map(({ name }) => `The ${kind} ‘${name}’ is gone`),
    ...now.flatMap((each) => {
      const former = find(before, each);
      const words = each.words && ` (${each.words})`;
      if (!former) return [`The ${kind} ‘${each.name}’${words} is new`];
      return former.words === each.words ? [] : [`The ${kind} ‘${each.name}’ is now${words}`];
    }),
  ];
}

export interface CalleeChange {
  /** The versions that were compared. */
  from: number;
  to: number;
  reasons: string[];
}

/** Changes of the inputs and outputs of a called workflow since somebody last looked; null without any. */
export function useCalleeChange(node: Pick<GraphNode, "data">): CalleeChange | null {
  const slug = calleeOf(node);
  const isLive = typeof node.data.version !== "number";
  const live = useWorkflow(slug)?.version ?? null;
  const seen = useSeen(slug);
  const isNewer = isLive && live !== null && seen !== null && live > seen;
  const path = (version: number | null) => (isNewer ? `/api/workflows/${slug}/versions/${version}` : null);
  const before = useResource<Graph>(path(seen)).data;
  const now = useResource<Graph>(path(live)).data;
  if (!isNewer || !before || !now) return null;
  const [former, present] = [interfaceOf(before), interfaceOf(now)];
  const reasons = [
    ...differences("input", former.inputs, present.inputs),
    ...differences("output", former.outputs, present.outputs),
  ];
  return reasons.length > 0 ? { from: seen, to: live, reasons } : null;
}

function useSeen(slug: string | null): number | null {
  const { root } = useStore();
  return useEditor(() => (slug === null ? null : (seenOf(root.document)[slug] ?? null)));
}
