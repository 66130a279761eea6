/** The members of manifests, each with the control that it has in the form. */

import members from "./members.json";

export interface Member {
  name: string;
  label: string;
  kind: "text" | "code" | "area" | "number" | "flag" | "choice" | "lines" | "paths" | "json";
  hint?: string;
  options?: string[];
  default?: boolean;
  /** Shown below "More". */
  isRare?: boolean;
}

export const MEMBERS = members as Record<keyof typeof members, Member[]>;
export const CALLS = {
  openai: "OpenAI's protocol",
  anthropic: "Anthropic's Messages API",
  http: "Any HTTP API",
  builtin: "Without a call: a template",
} as const;
export type CallName = keyof typeof CALLS;
