/** Settings of a schedule as they are typed, and how they are saved. */

import { type FormEvent, useRef, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { change, type Missed, type Overlap, type Schedule, showSaved, TRIGGERS } from "../../api/triggers";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";
import { type Faults, focusFault, refusalOf } from "../common/faults";
import { type CommonSettings, useCommon } from "../common/useCommon";
import { cronInWords } from "../cron";
import { useWorkflowInputs, type WorkflowInputs } from "./useWorkflowInputs";
import { HERE } from "./zones";

interface ScheduleValues {
  cron: string;
  timezone: string;
  overlap: Overlap;
  missed: Missed;
}

const MEMBERS = ["cron", "timezone", "overlap", "missed"];
const USUAL_CRON = "0 9 * * 1-5";
const USUAL: ScheduleValues = { cron: USUAL_CRON, timezone: HERE, overlap: "allow", missed: "last" };

export interface ScheduleSettings {
  common: CommonSettings;
  inputs: WorkflowInputs;
  values: ScheduleValues;
  faults: Faults;
  /** A refusal that is about no member. */
  refusal: string;
  /** The name that the trigger gets where none is typed. */
  unnamed: string;
  isBusy: boolean;
  set: (changes: Partial<ScheduleValues>) => void;
  save: (event: FormEvent) => Promise<void>;
}

export function useSchedule(trigger: Schedule | null, slug: string): ScheduleSettings {
  const [values, setValues] = useState<ScheduleValues>(() => trigger ?? USUAL);
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState("");
  const [isBusy, setBusy] = useState(false);
  const begun = useRef(trigger);
  const common = useCommon(trigger, slug);
  const inputs = useWorkflowInputs(begun.current, common.values.slug, common.values.version);
  const unnamed = nameFor(inputs.schema.data?.name, cronInWords(values.cron));
  const set = (changes: Partial<ScheduleValues>): void => {
    setValues((now) => ({ ...now, ...changes }));
    setFaults({});
  };
  const refuse = (error: ApiError): void => {
    const { field, reason } = refusalOf(error);
    if (MEMBERS.includes(field)) setFaults({ [field]: reason });
    else if (field.startsWith("inputs.")) inputs.form.setFaults({ [field.slice("inputs.".length)]: reason });
    else if (!common.refuse(field, reason)) setRefusal(error.message);
    focusFault();
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setRefusal("");
    const members = common.checked(unnamed);
    const given = inputs.form.checked();
    if (members === null || given === null) return focusFault();
    const { cron, timezone, overlap, missed } = values;
    setBusy(true);
    try {
      const body = { ...members, cron: cron.trim(), timezone: timezone.trim(), overlap, missed, ...inputs.toSave(given) };
      begun.current = await write(begun.current, body);
    } catch (error) {
      refuse(error as ApiError);
    }
    setBusy(false);
  };
  return { common, inputs, values, faults, refusal, unnamed, isBusy, set, save };
}

/** A name made of the workflow's and of the times in words. */
function nameFor(workflow: string | undefined, words: string): string {
  const times = words && (workflow ? words.charAt(0).toLowerCase() + words.slice(1) : words);
  return [workflow, times].filter(Boolean).join(", ") || "A schedule";
}

/** Create a schedule and show it, or change the members that differ. Raises ApiError. */
async function write(begun: Schedule | null, body: Record<string, unknown>): Promise<Schedule> {
  if (begun === null) {
    const created = await call<Schedule>("POST", TRIGGERS, { kind: "schedule", ...body });
    showSaved(created);
    toast(`${created.name} is set`);
    navigate(`/app/triggers/${created.id}`);
    return created;
  }
  const changes = differing(begun, body);
  if (Object.keys(changes).length === 0) {
    toast("Nothing has changed");
    return begun;
  }
  const saved = await change(begun.id, changes);
  toast(`Saved ${saved.name}`);
  return saved as Schedule;
}

/** The members that differ, so that a change elsewhere of others stays. */
function differing(before: object, body: Record<string, unknown>): Record<string, unknown> {
  const known = before as Record<string, unknown>;
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => JSON.stringify(known[name] ?? null) !== JSON.stringify(value)));
}
