import type { Verdict } from "../../api/workflowTests";

const LOOKS: Record<Verdict, string> = { passed: "good", failed: "bad", error: "warn" };
export const SIGNS: Record<Verdict, string> = { passed: "✓", failed: "✗", error: "!" };

/** The verdict on a test or an expectation, as the API spells it. */
export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  return (
    <span className={`badge status ${LOOKS[verdict]}`}>
      <span aria-hidden="true">{SIGNS[verdict]}</span> {verdict}
    </span>
  );
}
