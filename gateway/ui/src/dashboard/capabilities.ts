/** Capabilities of keys: the presets of the contract, and those that a tier may grant. */

import type { Me } from "../api/types";

export const PRESETS: Record<string, string[]> = {
  "Workflow Deploy": ["workflow:run", "workflow:read"],
  "Run with webhooks": ["workflow:run", "workflow:read", "webhook:receive"],
  "Read-only": ["workflow:read"],
  "Webhook receiver": ["webhook:receive"],
  "Full deploy": ["workflow:run", "workflow:read", "workflow:write"],
};
export const CUSTOM = "Custom";

export const GENERAL: Record<string, string> = {
  "workflow:run": "Run every workflow",
  "workflow:read": "List and read workflows",
  "workflow:write": "Save and delete workflows",
  "webhook:receive": "Have a webhook",
  "execution:approve": "Answer approvals, and see their links",
  "model:run": "Run every model",
};

/** The reason why a capability cannot be granted; empty if it can. */
export function reasonAgainst(capability: string, me: Me): string {
  const resource = capability.split(":")[0];
  const isAllowed = [capability, `${resource}:*`, "*"].some((each) => me.ceiling.includes(each));
  return isAllowed ? "" : `Not in the ${me.user.tier} tier.`;
}
