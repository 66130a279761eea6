/** The members of manifests, as their JSON Schema has them, each with a control of the form. */

import schema from "../../../../../../docs/reference/model-manifest.schema.json";

export interface Member {
  name: string;
  label: string;
  kind: "text" | "code" | "area" | "number" | "flag" | "choice" | "lines" | "paths" | "json";
  hint?: string;
  options?: string[];
  default?: boolean;
  /** Shown below "More". */
  isRare: boolean;
}

export interface Call {
  name: string;
  title: string;
  members: Member[];
}

/** JSON Schema of a member, as far as the form reads it. */
interface Property {
  title?: string;
  type?: string;
  $ref?: string;
  description?: string;
  default?: boolean;
  enum?: string[];
  anyOf?: Property[];
  items?: Property;
  properties?: Record<string, Property>;
  required?: string[];
}

const SCHEMA = schema as unknown as { properties: Record<string, Property>; oneOf: { required: string[] }[] };
const KINDS: Record<string, Member["kind"]> = { boolean: "flag", integer: "number", number: "number", string: "code", array: "lines" };
/** Texts for people. */
const TEXTS: Record<string, Member["kind"]> = { name: "text", source: "text", priceSource: "text", setup: "text", template: "area" };
const ACRONYMS: Record<string, string> = { api: "API", url: "URL", usd: "USD" };
const RARE = new Set([
  ...["source", "priceSource", "fallback"],
  ...["base_url_env", "setup", "key_header", "key_prefix", "headers", "idempotency_header", "timeout_seconds", "keep_alive"],
  ...["stream", "prompt", "system", "images", "files", "schema", "mask"],
  ...["media", "content_type", "as_text", "inline", "status_code"],
  ...["progress", "result_path", "cancel_path", "cancel_method", "resubmit"],
]);

/** The members of the table at a path, but for tables in it: those that it must have first, rare ones last. */
function membersAt(...path: string[]): Member[] {
  let table: Property = SCHEMA;
  for (const step of path) {
    const member = table.properties?.[step];
    table = member?.items ?? member ?? {};
  }
  const plain = Object.entries(table.properties ?? {}).filter(([, each]) => !each.properties && !each.items?.properties);
  const place = ([name]: [string, Property]): number => Number(!table.required?.includes(name));
  return plain.sort((one, other) => place(one) - place(other)).map(memberOf);
}

function memberOf([name, property]: [string, Property]): Member {
  const { description: hint, enum: options, default: first } = property;
  return { name, label: labelOf(name), kind: TEXTS[name] ?? kindOf(property), hint, options, default: first, isRare: RARE.has(name) };
}

function kindOf({ enum: options, $ref, anyOf, type = "" }: Property): Member["kind"] {
  if (options) return "choice";
  if ($ref) return "code";
  return anyOf ? "paths" : (KINDS[type] ?? "json");
}

/** A name in words: "Base URL" for `base_url`. */
function labelOf(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).split("_").map((word) => ACRONYMS[word] ?? word);
  const text = words.join(" ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

export const MEMBERS = {
  top: membersAt(),
  pricing: membersAt("pricing"),
  trial: membersAt("trial"),
  limits: membersAt("limits"),
  usage: membersAt("http", "usage"),
  job: membersAt("http", "job"),
};

/** The sections of which a manifest has one: how the provider is called. */
export const CALLS: readonly Call[] = SCHEMA.oneOf.map(({ required: [name = ""] }) => ({
  name,
  title: SCHEMA.properties[name]?.title ?? name,
  members: membersAt(name),
}));
