import type { Trigger } from "../../api/triggers";
import { HookForm } from "../hook/HookForm";
import { ScheduleForm } from "../schedule/ScheduleForm";

/** The settings of a trigger, which can be changed. A form that is open keeps typed values while others save. */
export function Settings({ trigger }: { trigger: Trigger }) {
  if (trigger.kind === "schedule") return <ScheduleForm trigger={trigger} slug={trigger.workflowSlug} />;
  return <HookForm trigger={trigger} slug={trigger.workflowSlug} />;
}
