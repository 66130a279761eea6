/** Models as the API lists them, for the nodes that call one. */

import { useResource } from "../../api/resource";
import type { Model } from "../../api/types";
import { AGENT } from "../settings/calls/tools/tools";

type Fits = (model: Model) => boolean;

/** Whether a model makes a text of a sound. */
export function isTranscriber({ category, fields }: Model): boolean {
  return category === "text" && fields.some(({ type }) => type === "audio");
}

/** Whether a model says a text. */
export function isSpeaker({ category, fields }: Model): boolean {
  return category === "audio" && fields.some(({ name, type }) => name === "text" && (type === "text" || type === "textarea"));
}

/** Whether a model answers in texts, as chats do. */
export function isWriter(model: Model): boolean {
  return model.category === "text" && !isTranscriber(model);
}

/** The models of each type of node that calls one. */
const FITTING: Record<string, Fits> = {
  assistant: isWriter,
  [AGENT]: isWriter,
  imageGenerator: ({ category }) => category === "image",
  videoGenerator: ({ category }) => category === "video",
  musicGenerator: (model) => model.category === "audio" && (!isSpeaker(model) || model.fields.some(({ name }) => name === "prompt")),
  transcribe: isTranscriber,
  speak: isSpeaker,
};

const NONE: Model[] = [];

export function useModels(): Model[] {
  return useResource<Model[]>("/api/models").data ?? NONE;
}

/** Whether the nodes of a type offer tools, which a model does not take. */
export function lacksTools(type: string, { takesTools }: Model): boolean {
  return type === AGENT && takesTools === false;
}

/** Whether a model is of the kind that the nodes of a type call; other types call any. */
export function isOfKind(type: string, model: Model): boolean {
  return FITTING[type]?.(model) ?? true;
}

/** The models that may be called now by the nodes of a type. */
export function modelsOf(type: string, models: readonly Model[]): Model[] {
  return models.filter((model) => FITTING[type]?.(model) && model.available && model.enabled && !lacksTools(type, model));
}

/** The model that a new node of a type begins with: the cheapest that may be called now. */
export function firstModel(type: string, models: readonly Model[]): Model | undefined {
  const price = (model: Model): number => Math.max(0, ...model.pricing.map(({ credits }) => credits));
  return modelsOf(type, models).sort((one, other) => price(one) - price(other))[0];
}
