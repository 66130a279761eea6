import type { Trigger } from "../../api/triggers";
import { HookForm } from "../hook/HookForm";
import { ScheduleForm } from "../schedule/ScheduleForm";

/** The settings of a trigger, which can be changed. */
export function Settings({ trigger }: { trigger: Trigger }) {
  // A form begins with the settings as they are; those that were saved elsewhere since begin it anew.
  if (trigger.kind === "schedule") return <ScheduleForm key={trigger.updatedAt} trigger={trigger} slug={trigger.workflowSlug} />;
  return <HookForm key={trigger.updatedAt} trigger={trigger} slug={trigger.workflowSlug} />;
}
