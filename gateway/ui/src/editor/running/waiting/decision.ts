/** The decision of an approval that was answered. */

import { DECIDED } from "../../../approvals/words";
import type { NodeState } from "../../../playground/runState";

/** The decision in a word, by the output that has a value; undefined for other nodes, and where no values are kept. */
export function decisionOf({ type, status, outputs }: NodeState): string | undefined {
  if (type !== "approval" || status !== "completed" || !outputs) return undefined;
  if ("approved-out" in outputs) return DECIDED.approve;
  return "refused-out" in outputs ? DECIDED.refuse : undefined;
}
