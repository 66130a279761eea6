/** A JSON Schema from an example: models keep to it best when all members are required and no others allowed. */

type Schema = Record<string, unknown>;

export function schemaFrom(example: unknown): Schema {
  if (example === null) return { type: "null" };
  if (Array.isArray(example)) {
    const kinds = [...new Map(example.map((each) => [JSON.stringify(schemaFrom(each)), schemaFrom(each)])).values()];
    if (kinds.length === 0) return { type: "array" };
    return { type: "array", items: kinds.length === 1 ? kinds[0] : { anyOf: kinds } };
  }
  if (typeof example === "object") {
    const members = Object.entries(example as object).map(([name, value]) => [name, schemaFrom(value)]);
    return {
      type: "object",
      properties: Object.fromEntries(members),
      required: members.map(([name]) => name),
      additionalProperties: false,
    };
  }
  if (typeof example === "number") return { type: Number.isInteger(example) ? "integer" : "number" };
  return { type: typeof example };
}
