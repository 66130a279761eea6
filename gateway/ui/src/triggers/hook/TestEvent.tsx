import { useEffect, useRef, useState } from "react";
import { type ApiError, call } from "../../api/client";
import { type Hook, triggerPath } from "../../api/triggers";
import type { EventTest } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { setParameters, useParameter } from "../../shell/router";
import { eventOf, NOT_KEPT } from "./events";
import type { SampleEvent } from "./sample";
import { SampleText } from "./SampleFields";

interface Props {
  trigger: Hook;
  sample: SampleEvent;
  onSample: (sample: SampleEvent) => void;
}

/** Tries an event with the saved settings: condition and inputs, without a run. The address may name a received one. */
export function TestEvent({ trigger, sample, onSample }: Props) {
  const [trial, setTrial] = useState<EventTest | null>(null);
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  const outcome = useRef<HTMLDivElement>(null);
  const test = async (event: SampleEvent | null): Promise<void> => {
    setBusy(true);
    setFault("");
    setTrial(null);
    try {
      if (!event) throw new Error(`${NOT_KEPT}.`);
      const { body, headers } = event;
      setTrial(await call<EventTest>("POST", `${triggerPath(trigger.id)}/test`, { body, headers }));
    } catch (error) {
      setFault((error as ApiError).message);
    }
    setBusy(false);
  };
  const tryReceived = async (id: string): Promise<void> => {
    setParameters({ event: "" });
    try {
      const event = await eventOf(trigger.id, id);
      if (event) onSample(event);
      await test(event);
    } catch (error) {
      setFault((error as ApiError).message);
    }
  };
  const [received] = useParameter("event", "");
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the address names another event
  useEffect(() => {
    if (received) void tryReceived(received);
  }, [received]);
  useEffect(() => {
    if (trial || fault) outcome.current?.scrollIntoView({ block: "nearest" });
  }, [trial, fault]);
  return (
    <section className="stack" aria-label="Test">
      <h2>Send a test</h2>
      <p className="hint">It goes through the condition and the inputs of this trigger. No run starts, and nothing is verified.</p>
      <SampleText
        sample={sample}
        onChange={(changed) => {
          setTrial(null);
          onSample(changed);
        }}
      />
      <div className="row">
        <Button disabled={isBusy} onClick={() => void test(sample)}>
          Send a test
        </Button>
      </div>
      <div role="status" className="stack tight" ref={outcome}>
        {trial && <Outcome trial={trial} />}
        {fault && <p className="fault">{fault}</p>}
      </div>
    </section>
  );
}

function Outcome({ trial: { wouldRun, inputs, problems } }: { trial: EventTest }) {
  return (
    <>
      <p className={`note ${wouldRun ? "good" : problems.length > 0 ? "bad" : ""}`}>
        {wouldRun ? "This event would start a run." : problems.length > 0 ? "This event would start no run." : "The condition is false: this event would be skipped."}
      </p>
      {problems.length > 0 && (
        <ul aria-label="Problems">
          {problems.map((each) => (
            <li className="fault" key={inWords(each)}>
              {inWords(each)}
            </li>
          ))}
        </ul>
      )}
      {Object.keys(inputs).length > 0 && <CodeBlock text={JSON.stringify(inputs, null, 2)} isWrapped label="Inputs of the run" />}
    </>
  );
}

function inWords({ field, reason }: EventTest["problems"][number]): string {
  const isNamed = reason.includes(field) || reason.includes(`'${field.replace("inputs.", "")}'`);
  return isNamed ? reason : `${field}: ${reason}`;
}
