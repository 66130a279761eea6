import type { Schedule } from "../../api/triggers";
import { Button } from "../../components/Button";
import { Failed, Loading } from "../../components/States";
import { InputFields } from "../../playground/inputForm";
import { MoreFields } from "../common/MoreFields";
import { WorkflowFields } from "../common/WorkflowFields";
import { CronField } from "./CronField";
import { NextTimes } from "./NextTimes";
import { Policies } from "./Policies";
import { useNextTimes } from "./useNextTimes";
import { type ScheduleSettings, useSchedule } from "./useSchedule";
import { ZoneField } from "./ZoneField";
import "../triggers.css";

interface Props {
  /** The schedule that is changed; null makes a new one. */
  trigger: Schedule | null;
  slug: string;
}

/** Makes a schedule, or changes one. */
export function ScheduleForm({ trigger, slug }: Props) {
  const schedule = useSchedule(trigger, slug);
  const { common, values, isBusy, refusal } = schedule;
  return (
    <form className="stack trigger-form" onSubmit={(event) => void schedule.save(event)} noValidate aria-label="Schedule">
      <section className="panel stack" aria-label="Workflow and name">
        <WorkflowFields common={common} unnamed={schedule.unnamed} />
      </section>
      <Times schedule={schedule} />
      <section className="panel stack" aria-labelledby="schedule-inputs">
        <h2 id="schedule-inputs">Inputs</h2>
        <Inputs schedule={schedule} />
      </section>
      <section className="panel stack" aria-labelledby="schedule-policies">
        <h2 id="schedule-policies">When it cannot run as planned</h2>
        <Policies overlap={values.overlap} missed={values.missed} onChange={schedule.set} />
      </section>
      <section className="panel" aria-label="More settings">
        <MoreFields common={common} trigger={trigger} />
      </section>
      {refusal && (
        <p className="note bad" role="alert">
          {refusal}
        </p>
      )}
      <div className="row">
        <Button look="primary" type="submit" disabled={isBusy}>
          {trigger ? "Save" : "Create schedule"}
        </Button>
      </div>
    </form>
  );
}

function Times({ schedule: { values, faults, set } }: { schedule: ScheduleSettings }) {
  const times = useNextTimes(values.cron, values.timezone);
  return (
    <section className="panel stack" aria-labelledby="schedule-times">
      <h2 id="schedule-times">Times</h2>
      <div className="times-row">
        <div className="stack">
          <CronField cron={values.cron} fault={faults.cron ?? times.faults.cron} onChange={(cron) => set({ cron })} />
          <ZoneField zone={values.timezone} fault={faults.timezone ?? times.faults.timezone} onChange={(timezone) => set({ timezone })} />
        </div>
        <NextTimes times={times} zone={values.timezone} />
      </div>
    </section>
  );
}

function Inputs({ schedule: { common, inputs } }: { schedule: ScheduleSettings }) {
  const { schema, form } = inputs;
  if (!common.values.slug) return <p className="muted">Choose a workflow above: its inputs are asked for here.</p>;
  if (!schema.data) return schema.error ? <Failed error={schema.error} retry={schema.reload} /> : <Loading height="6rem" />;
  if (schema.data.fields.length === 0) return <p className="muted">This workflow asks for nothing.</p>;
  return (
    <>
      <p className="hint">Each run gets these.</p>
      <InputFields form={form} />
    </>
  );
}
