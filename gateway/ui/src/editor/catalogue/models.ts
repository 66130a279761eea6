/** Models as the API lists them, for the nodes that call one. */

import { useResource } from "../../api/resource";
import type { Model } from "../../api/types";
import { AGENT } from "../settings/calls/tools/tools";

const NODE_TYPES: Record<string, string[]> = {
  text: ["assistant", AGENT],
  image: ["imageGenerator"],
  video: ["videoGenerator"],
  audio: ["musicGenerator"],
};

const NONE: Model[] = [];

export function useModels(): Model[] {
  return useResource<Model[]>("/api/models").data ?? NONE;
}

/** Whether the nodes of a type offer tools, which a model does not take. */
export function lacksTools(type: string, { takesTools }: Model): boolean {
  return type === AGENT && takesTools === false;
}

/** The models that may be called now by the nodes of a type. */
export function modelsOf(type: string, models: readonly Model[]): Model[] {
  return models.filter((model) => NODE_TYPES[model.category]?.includes(type) && model.available && model.enabled && !lacksTools(type, model));
}

/** The model that a new node of a type begins with: the cheapest that may be called now. */
export function firstModel(type: string, models: readonly Model[]): Model | undefined {
  const price = (model: Model): number => Math.max(0, ...model.pricing.map(({ credits }) => credits));
  return modelsOf(type, models).sort((one, other) => price(one) - price(other))[0];
}
