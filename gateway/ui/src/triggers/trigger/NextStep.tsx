import type { Occurrence, Trigger } from "../../api/triggers";
import { Link } from "../../shell/router";
import { canBeTried, trialOf } from "../hook/events";

const BY_SETTINGS: Record<string, string> = {
  invalid_inputs: "Change the inputs",
  workflow_not_runnable: "Choose another workflow or version",
  max_credits_exceeded: "Change the limit",
};

interface Props {
  trigger: Trigger;
  occurrence: Occurrence;
  /** Whether the newer occurrence beside it says the same. */
  isRepeated: boolean;
}

/** The way on after an occurrence that began no run and should have. */
export function NextStep({ trigger, occurrence, isRepeated }: Props) {
  const { id, status, reason } = occurrence;
  if (trigger.kind === "webhook" && canBeTried(occurrence)) return <Link href={trialOf(trigger.id, id)}>Try this event</Link>;
  if (isRepeated || (status !== "failed" && status !== "missed")) return null;
  const change = BY_SETTINGS[reason ?? ""];
  if (change) return <Link href={`/app/triggers/${trigger.id}?tab=settings`}>{change}</Link>;
  return <span className="muted">{trigger.kind === "schedule" ? "“Run now” starts one in its place." : "Have the sender send it again."}</span>;
}
