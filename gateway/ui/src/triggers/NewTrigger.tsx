import type { TriggerKind } from "../api/triggers";
import { Link, useParameter } from "../shell/router";
import { usePageTitle } from "../shell/Shell";
import { HookForm } from "./hook/HookForm";
import { ScheduleForm } from "./schedule/ScheduleForm";
import "../executions/execution/execution.css";

const TITLES: Record<TriggerKind, string> = { schedule: "New schedule", webhook: "New inbound webhook" };

/** The form of a new trigger; the address may name its workflow. */
export function NewTrigger({ kind }: { kind: TriggerKind }) {
  const [slug] = useParameter("workflow", "");
  usePageTitle(TITLES[kind]);
  return (
    <>
      <p className="back">
        <Link href="/app/triggers">Triggers</Link>
      </p>
      <div className="page-head">
        <h1>{TITLES[kind]}</h1>
      </div>
      {kind === "schedule" ? <ScheduleForm trigger={null} slug={slug} /> : <HookForm trigger={null} slug={slug} />}
    </>
  );
}
