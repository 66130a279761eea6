/** Facts about a model that lists and pages say in words. */

import { missingOf, priceOf } from "../editor/settings/models/modelSettings";
import type { Model, Price, Tier } from "../api/types";

export { priceOf };

export const CATEGORIES = { text: "Text", image: "Image", video: "Video", audio: "Audio" } as const;
export type Category = keyof typeof CATEGORIES;

export const TIERS: Tier[] = ["free", "creator", "pro", "business", "enterprise"];
const VARIABLE = /\bset ([A-Z][A-Z0-9_]*)/;

export interface Missing {
  /** A few words, such as "Needs OPENAI_API_KEY". */
  short: string;
  sentence: string;
}

export function tierName(tier: Tier): string {
  return `${tier.charAt(0).toUpperCase()}${tier.slice(1)}`;
}

/** The reason why the account cannot run the model; null where it can. */
export function missing(model: Model, tier: Tier | undefined): Missing | null {
  const sentence = missingOf(model);
  if (sentence) {
    const variable = VARIABLE.exec(sentence)?.[1];
    return { short: !model.enabled ? "Switched off" : variable ? `Needs ${variable}` : "Not set up", sentence };
  }
  if (tier !== undefined && TIERS.indexOf(tier) < TIERS.indexOf(model.tierRequired)) {
    const wanted = tierName(model.tierRequired);
    return { short: `Needs ${wanted}`, sentence: `Accounts of the tier ${wanted} and up run it; yours is ${tierName(tier)}.` };
  }
  return null;
}

export const UNITS: Record<Price["unit"], string> = {
  call: "call",
  image: "image",
  second: "second",
  input_second: "second of input",
  input_token: "1,000 input tokens",
  output_token: "1,000 output tokens",
};

/** Units that a price is shown for. */
export function unitsShown(unit: Price["unit"]): number {
  return unit.endsWith("token") ? 1_000 : 1;
}
