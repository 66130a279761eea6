/** The needs of a workflow, and those that are not met here. */

import { BODY, bodyOf } from "../editor/bodies/body";
import { isOfKind, lacksTools } from "../editor/catalogue/models";
import type { GraphEdge, GraphNode, Model, NodeTypeRow, User } from "../api/types";

interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface Surroundings {
  models: Model[];
  types: NodeTypeRow[];
  tier: User["tier"];
}

export interface Need {
  /** Name of a model, or label of a node type. */
  name: string;
  isDemo: boolean;
  /** The reason why it cannot be used here, with a remedy. */
  reason?: string;
  /** The internal name, and a model that can take its place. */
  model?: string;
  instead?: Model;
}

const TIERS: User["tier"][] = ["free", "creator", "pro", "business", "enterprise"];

/** The models and the unavailable node types of a graph. */
export function needsOf(graph: Graph, around: Surroundings): Need[] {
  const graphs = graphsOf(graph);
  const nodes = graphs.flatMap((each) => each.nodes);
  const names = [...new Set(nodes.map((node) => node.data.model).filter((name) => typeof name === "string"))];
  const types = new Set(nodes.map((node) => node.type));
  const missing = around.types.filter((each) => types.has(each.type) && !each.available);
  return [
    ...names.map((name) => modelNeed(name, graphs, around)),
    ...missing.map((each) => ({ name: each.label, isDemo: false, reason: each.unavailableReason ?? "It is not here" })),
  ];
}

/** The needs that are not met: a graph that is saved runs only without any. */
export function unmet(needs: readonly Need[]): Need[] {
  return needs.filter((need) => need.reason);
}

/** The first reason why a copy of a graph, with other models where they fit, cannot run here. */
export function obstacle(needs: Need[]): Need | undefined {
  return needs.find((need) => need.reason && !need.instead);
}

/** The nodes with other models in the places of those that cannot be used. */
export function withUsableModels(graph: Graph, around: Surroundings): GraphNode[] {
  const needs = new Map(needsOf(graph, around).map((need) => [need.model, need.instead]));
  const adapted = (node: GraphNode): GraphNode => {
    const body = bodyOf(node);
    if (body) return { ...node, data: { ...node.data, [BODY]: { ...body, nodes: body.nodes.map(adapted) } } };
    const other = needs.get(node.data.model as string | undefined);
    const own = around.models.find((model) => model.internalName === node.data.model);
    return other ? { ...node, data: fitted(node.data, own, other) } : node;
  };
  return graph.nodes.map(adapted);
}

/** A graph, and those inside of its nodes. */
function graphsOf(graph: Graph): Graph[] {
  return [graph, ...graph.nodes.flatMap((node) => bodyOf(node) ?? []).flatMap(graphsOf)];
}

function modelNeed(name: string, graphs: readonly Graph[], around: Surroundings): Need {
  const model = around.models.find((each) => each.internalName === name);
  const reason = model ? unusable(model, around.tier) : `There is no model "${name}" here`;
  const users = graphs.flatMap(({ nodes, edges }) => nodes.filter((node) => node.data.model === name).map((node) => ({ node, edges })));
  const others = around.models
    .filter((each) => each.category === model?.category && !unusable(each, around.tier))
    .filter((each) => users.every(({ node, edges }) => fits(node, edges, each)))
    .sort((one, other) => price(one) - price(other));
  const need = { name: model?.name ?? name, isDemo: model?.isDemo ?? false, model: name };
  return reason ? { ...need, reason, instead: others[0] } : need;
}

function unusable(model: Model, tier: User["tier"]): string | undefined {
  if (!model.enabled) return "The operator has switched it off";
  if (!model.available) return model.unavailableReason ?? "It is not set up here";
  if (TIERS.indexOf(model.tierRequired) > TIERS.indexOf(tier)) return `It needs the tier ${model.tierRequired}`;
  return undefined;
}

function price(model: Model): number {
  return Math.max(0, ...model.pricing.map((each) => each.credits));
}

/** Whether a model has fields for all wired sockets and given settings, and requires no other. */
function fits(node: GraphNode, edges: GraphEdge[], model: Model): boolean {
  const wired = edges
    .filter((edge) => edge.target === node.id && edge.targetHandle.endsWith("-in"))
    .map((edge) => camelCase(edge.targetHandle.slice(0, -3)))
    // Files go with each call, as texts where the model takes none.
    .filter((name) => name !== "params" && name !== "file");
  const said = ["prompt", "system"].filter((name) => node.data[name]);
  const given = new Set([...wired, ...said]);
  const fields = new Set(model.fields.map((field) => field.name));
  const missing = model.fields.filter((field) => field.required && field.default == null && !given.has(field.name));
  return missing.length === 0 && isOfKind(node.type, model) && !lacksTools(node.type, model) && [...given].every((name) => fields.has(name) || fields.has(`${name}s`));
}

/** Settings of a node for another model: values that it has no field for, or that are too high, are left out. */
function fitted(data: GraphNode["data"], own: Model | undefined, other: Model): GraphNode["data"] {
  const had = new Set(own?.fields.map((field) => field.name));
  const settings = Object.entries(data).filter(([name, value]) => {
    const field = other.fields.find((each) => each.name === name);
    if (!field) return !had.has(name) || name === "jsonSchema" || name === "count";
    return typeof value !== "number" || value <= (field.max ?? Infinity);
  });
  return { ...Object.fromEntries(settings), model: other.internalName };
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
