/** The arguments of a tool: those of its schema, and further ones that are typed. */

import type { GraphNode } from "../../../../api/types";
import type { RemoteTool } from "../tools/serverTools";

export const ARGUMENTS = "arguments";
export const SCHEMA = "schema";

type Data = GraphNode["data"];

export interface Argument {
  name: string;
  /** Its types in words; empty where the schema names none. */
  type: string;
  about: string;
  isRequired: boolean;
  /** Whether the schema has it, so that it is a socket too. */
  isKnown: boolean;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function typedOf(data: Data): Record<string, unknown> {
  return objectOf(data[ARGUMENTS]);
}

/** The arguments of a node, those of the schema first. */
export function argumentsOf(data: Data): Argument[] {
  const schema = objectOf(data[SCHEMA]);
  const properties = objectOf(schema.properties);
  const required = Array.isArray(schema.required) ? schema.required : [];
  const known = Object.entries(properties).map(([name, property]) => {
    const { type, description } = objectOf(property);
    const types = (Array.isArray(type) ? type : [type]).filter((each) => typeof each === "string");
    const about = typeof description === "string" ? description : "";
    return { name, type: types.join(" or "), about, isRequired: required.includes(name), isKnown: true };
  });
  const others = Object.keys(typedOf(data)).filter((name) => !(name in properties));
  return [...known, ...others.map((name) => ({ name, type: "", about: "", isRequired: false, isKnown: false }))];
}

/** An argument as it is typed: a text is a template, other values are JSON. */
export function shown(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The value of a typed text: a number, a list or an object stays one as long as the text is JSON. */
export function read(text: string, before: unknown): unknown {
  if (text === "") return undefined;
  if (before === undefined || typeof before === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The settings of a node that calls a tool as its server lists it. */
export function withTool(data: Data, name: string, tool: RemoteTool | undefined): Data {
  const { [SCHEMA]: _, ...others } = data;
  const chosen = tool ? { ...others, tool: name, [SCHEMA]: tool.inputSchema } : { ...others, tool: name };
  if (!name) delete (chosen as Data).tool;
  return chosen;
}
