import { type FormEvent, useId, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { WORKFLOWS } from "../../api/paths";
import { invalidate, useResource } from "../../api/resource";
import { change as changeTrigger, type Hook, TRIGGERS, type VerifyKind } from "../../api/triggers";
import type { Field, PublicSchema } from "../../api/types";
import { Button } from "../../components/Button";
import { toast } from "../../components/Toast";
import { navigate } from "../../shell/router";
import { type Faults, focusFault, refusalOf } from "../common/faults";
import { MoreFields } from "../common/MoreFields";
import { type CommonSettings, useCommon } from "../common/useCommon";
import { WorkflowFields } from "../common/WorkflowFields";
import { CelField } from "./CelField";
import { EventFields } from "./EventFields";
import { InputFields } from "./InputFields";
import { ReceivedEvents } from "./ReceivedEvents";
import { guessInputs, type SampleEvent } from "./sample";
import { serviceOf } from "./services";
import { draftOf, emptyHook, faultsOf, type HookDraft, sampleFor, settingsOf, usualVerify } from "./settings";
import { VerifyFields } from "./VerifyFields";
import "./hook.css";

interface Props {
  /** Null for a new one. */
  trigger: Hook | null;
  slug: string;
}

/** The settings of an inbound webhook: sender, events, inputs. */
export function HookForm({ trigger, slug }: Props) {
  const common = useCommon(trigger, slug);
  const hook = useHook(trigger, common);
  const { draft, service, sample, fields, faults, refusal } = hook;
  const unnamed = common.values.slug ? `${service.label}: ${common.values.slug}` : service.label;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void hook.save(unnamed);
  };
  return (
    <form className="hook-form trigger-form stack" aria-label="Inbound webhook" onSubmit={submit} noValidate>
      <section className="panel stack">
        <WorkflowFields common={common} unnamed={unnamed} />
      </section>
      <div className="panel">
        <VerifyFields verify={draft.verify} faults={faults} onService={hook.chooseService} onChange={(verify) => hook.change({ verify })} />
      </div>
      <div className="panel stack">
        <EventFields
          events={service.events}
          when={draft.when}
          sample={sample}
          faults={faults}
          onEvent={(ready) => hook.takeSample(ready.sample, { when: ready.when })}
          onWhen={(when) => hook.change({ when })}
          onSample={hook.takeSample}
        />
        {trigger && <ReceivedEvents trigger={trigger} onUse={hook.takeSample} />}
      </div>
      <div className="panel">
        <InputFields draft={draft} fields={fields} sample={sample} faults={faults} onChange={(changes) => hook.change(changes, true)} />
      </div>
      <div className="panel stack">
        <Answer draft={draft} sample={sample} faults={faults} onChange={hook.change} />
        <MoreFields common={common} trigger={trigger} />
      </div>
      {refusal && (
        <p className="fault" role="alert">
          {refusal}
        </p>
      )}
      <div className="row">
        <Button look="primary" type="submit" disabled={hook.isBusy}>
          {trigger ? "Save" : "Create inbound webhook"}
        </Button>
      </div>
    </form>
  );
}

interface AnswerProps {
  draft: HookDraft;
  sample: SampleEvent;
  faults: Faults;
  onChange: (changes: Partial<HookDraft>) => void;
}

/** The answer to the sender, and the id by which a repeated event is known. */
function Answer({ draft, sample, faults, onChange }: AnswerProps) {
  const id = useId();
  return (
    <section className="stack" aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>Answer and repeats</h2>
      <div className="field">
        <label htmlFor={id}>Answer to the sender</label>
        <select
          id={id}
          className="input"
          value={draft.respond}
          aria-describedby={`${id}-hint`}
          onChange={(event) => onChange({ respond: event.target.value === "result" ? "result" : "accepted" })}
        >
          <option value="accepted">At once, with the id of the run</option>
          <option value="result">The result, when the run has ended</option>
        </select>
        <p className="hint" id={`${id}-hint`}>
          GitHub waits 10 seconds for an answer, Slack 3.
        </p>
      </div>
      <CelField
        label="Id of an event"
        hint="An id that started a run within 24 hours starts no second one. Empty: the id that GitHub, Stripe or a standard webhook carries."
        wanted="text"
        isOptional
        placeholder="body.id"
        value={draft.eventId}
        sample={sample}
        fault={faults.eventId}
        onChange={(eventId) => onChange({ eventId })}
      />
    </section>
  );
}

/** The settings as they are typed, the sample that they are tried with, and saving them. */
function useHook(trigger: Hook | null, common: CommonSettings) {
  const [draft, setDraft] = useState<HookDraft>(() => (trigger ? draftOf(trigger) : emptyHook("github")));
  const [sample, setSample] = useState<SampleEvent>(() => sampleFor(draft));
  const [areInputsTouched, setTouched] = useState(trigger !== null);
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState("");
  const [isBusy, setBusy] = useState(false);
  const fields = useFields(common.values.slug, common.values.version);
  const shown = areInputsTouched ? draft : withGuess(draft, fields, sample);
  const change = (changes: Partial<HookDraft>, isInput = false): void => {
    if (isInput) setTouched(true);
    setDraft((now) => ({ ...now, ...(isInput && { isMapped: shown.isMapped, inputs: shown.inputs }), ...changes }));
    setFaults({});
    setRefusal("");
  };
  const takeSample = (chosen: SampleEvent, changes: Partial<HookDraft> = {}): void => {
    setSample(chosen);
    change(changes);
  };
  const chooseService = (kind: VerifyKind): void => {
    const former = serviceOf(draft.verify.kind);
    const ready = emptyHook(kind);
    // Expressions of one's own stay; ready ones are about the former sender.
    const isReadyWhen = draft.when.trim() === "" || former.events.some((each) => each.when === draft.when.trim());
    const isReadyId = draft.eventId.trim() === former.eventId;
    const expressions = { ...(isReadyWhen && { when: ready.when }), ...(isReadyId && { eventId: ready.eventId }) };
    takeSample(sampleFor(ready), { verify: usualVerify(kind), ...expressions });
  };
  const save = async (unnamed: string): Promise<void> => {
    const wrong = faultsOf(shown);
    const members = common.checked(unnamed);
    setFaults(wrong);
    if (members === null || Object.keys(wrong).length > 0) return focusFault();
    setBusy(true);
    try {
      await send(trigger, { ...members, ...settingsOf(shown, fields) });
    } catch (error) {
      const { field, reason } = refusalOf(error as ApiError);
      if (!common.refuse(field, reason)) {
        if (isShown(field, shown, fields)) setFaults({ [field]: reason });
        else setRefusal(reason);
      }
      focusFault();
    }
    setBusy(false);
  };
  return { draft: shown, service: serviceOf(draft.verify.kind), sample, fields, faults, refusal, isBusy, change, takeSample, chooseService, save };
}

/** Create the trigger and lead to its page, or save its changes. Raises ApiError. */
async function send(trigger: Hook | null, body: Record<string, unknown>): Promise<void> {
  if (trigger) {
    await changeTrigger(trigger.id, body);
    toast("Saved the trigger");
    return;
  }
  const { id, name } = await call<Hook>("POST", TRIGGERS, { kind: "webhook", ...body });
  toast(`Created ${name}`);
  invalidate(TRIGGERS);
  navigate(`/app/triggers/${id}?tab=connect`);
}

const FIELDS = ["verify.kind", "verify.secret", "verify.header", "verify.prefix", "when", "inputs", "eventId"];

/** Whether the form has a place for a fault of this member. */
function isShown(field: string, { isMapped }: HookDraft, fields: readonly Field[] | undefined): boolean {
  return FIELDS.includes(field) || (isMapped && Boolean(fields?.some((each) => field === `inputs.${each.name}`)));
}

function withGuess(draft: HookDraft, fields: readonly Field[] | undefined, sample: SampleEvent): HookDraft {
  return { ...draft, isMapped: true, inputs: guessInputs(fields ?? [], sample) };
}

/** The inputs of the version that runs; undefined until they are known. */
function useFields(slug: string, version: string): readonly Field[] | undefined {
  const query = version ? `?version=${version}` : "";
  return useResource<PublicSchema>(slug ? `${WORKFLOWS}/${slug}/schema${query}` : null).data?.fields;
}
