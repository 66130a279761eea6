/** Settings of nodes that are values for fields of their model. */

import type { Field, GraphNode, Model, Price } from "../../../api/types";
import { ERROR_OUT, type NodeType, type SettingSchema } from "../../catalogue/catalogue";
import { useModels } from "../../catalogue/models";
import { inWords } from "../widgets/widget";

/** The model of a node, once models are loaded and if there is one of that name. */
export function useModelOf(node: GraphNode): Model | undefined {
  return useModels().find((each) => each.internalName === node.data.model);
}

/** Whether a setting is there only if the node's model has a field of its name: such may be empty. */
export function isModelSetting(schema: SettingSchema): boolean {
  return Boolean(schema.anyOf?.some((each) => each.const === ""));
}

/** The kind of model that a node takes; null where it takes any. */
export function categoryOf(type: NodeType | undefined): string | null {
  return type?.outputs.find((socket) => socket.name !== ERROR_OUT)?.type ?? null;
}

/** Fields of the model that no setting of the node is for. */
export function otherFields(model: Model, type: NodeType): Field[] {
  return model.fields.filter((field) => !(field.name in (type.settings.properties ?? {})));
}

const PER: Record<Price["unit"], [per: string, units: number]> = {
  call: ["a call", 1],
  image: ["an image", 1],
  second: ["a second", 1],
  input_second: ["a second of input", 1],
  input_token: ["1,000 input tokens", 1_000],
  output_token: ["1,000 output tokens", 1_000],
};
const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** The price of a model in words. */
export function priceOf(model: Model): string {
  const priced = model.pricing.filter((each) => each.credits > 0);
  if (priced.length === 0) return "Free of charge";
  return priced
    .map(({ unit, credits }) => {
      const [per, units] = PER[unit];
      const amount = figures.format(credits * units);
      return `${amount} ${amount === "1" ? "credit" : "credits"} for ${per}`;
    })
    .join(", ");
}

/** The reason why a run with the model would fail now. */
export function missingOf(model: Model): string | null {
  if (!model.enabled) return "This model is switched off.";
  return model.available ? null : (model.unavailableReason ?? "This model cannot be called here.");
}

/** Settings that a new model does not have, or has with other choices: removed from the data, and named. */
export function withoutUnknown(
  data: GraphNode["data"],
  model: Model,
  type: NodeType,
): { data: GraphNode["data"]; dropped: string[] } {
  const fields = new Map(model.fields.map((field) => [field.name, field]));
  const takes = (name: string, value: unknown): boolean => {
    const field = fields.get(name);
    if (!field) return false;
    return !field.options?.length || value === "" || field.options.some((option) => String(option) === String(value));
  };
  const dropped: string[] = [];
  const only = (entries: [string, unknown][], isOurs: (name: string) => boolean): [string, unknown][] =>
    entries.filter(([name, value]) => {
      if (!isOurs(name) || value === undefined || value === null || takes(name, value)) return true;
      dropped.push(`${type.settings.properties?.[name]?.title ?? name} (${inWords(value).slice(0, 24)})`);
      return false;
    });
  const properties = type.settings.properties ?? {};
  const settings = Object.fromEntries(only(Object.entries(data), (name) => isModelSetting(properties[name] ?? {})));
  if (settings.values && typeof settings.values === "object") {
    settings.values = Object.fromEntries(only(Object.entries(settings.values), () => true));
  }
  return { data: settings, dropped };
}
