/** Models as the API lists them, for the nodes that call one. */

import { useResource } from "../../api/resource";
import type { Model } from "../../api/types";

const NODE_TYPES: Record<string, string> = {
  text: "assistant",
  image: "imageGenerator",
  video: "videoGenerator",
  audio: "musicGenerator",
};

export interface KnownModel extends Model {
  available: boolean;
  unavailableReason: string | null;
}

const NONE: KnownModel[] = [];

export function useModels(): KnownModel[] {
  return useResource<KnownModel[]>("/api/models").data ?? NONE;
}

/** The models that may be called now by the nodes of a type. */
export function modelsOf(type: string, models: readonly KnownModel[]): KnownModel[] {
  return models.filter((model) => NODE_TYPES[model.category] === type && model.available && model.enabled);
}

/** The model that a new node of a type begins with: the cheapest that may be called now. */
export function firstModel(type: string, models: readonly KnownModel[]): KnownModel | undefined {
  const price = (model: KnownModel): number => Math.max(0, ...model.pricing.map(({ credits }) => credits));
  return modelsOf(type, models).sort((one, other) => price(one) - price(other))[0];
}
