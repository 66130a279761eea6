import { useState } from "react";
import type { Hook, VerifyKind } from "../../api/triggers";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { CopyButton } from "../../components/CopyButton";
import { TextField } from "../../components/TextField";
import { toast } from "../../components/Toast";
import { Fold } from "../../editor/settings/Fold";
import "../../editor/settings/expression/expression.css";
import { curlOf, stepsOf } from "./guide";
import { MadeValue } from "./HookSecret";
import { ReceivedEvents } from "./ReceivedEvents";
import { RotateUrl } from "./RotateUrl";
import type { SampleEvent } from "./sample";
import { madeValue, saveSecret, valueFault } from "./secrets";
import { serviceOf } from "./services";
import { draftOf, sampleFor } from "./settings";
import { TestEvent } from "./TestEvent";
import "./hook.css";

/** The way from a saved trigger to its first event: URL, steps at the sender, a signed request, a test. */
export function Connect({ trigger }: { trigger: Hook }) {
  const [sample, setSample] = useState<SampleEvent>(() => sampleFor(draftOf(trigger)));
  const { verify, url } = trigger;
  const { label, secretOrigin } = serviceOf(verify.kind);
  const made = madeValue(verify.secret ?? "");
  const sender = isNamed(verify.kind) ? label : "the sender";
  return (
    <div className="hook-form trigger-form stack">
      <section className="panel stack" aria-label="URL">
        <Url trigger={trigger} />
      </section>
      <section className="panel stack" aria-label="Steps">
        <h2>Set up {sender}</h2>
        <ol className="hook-steps">
          {stepsOf(verify).map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        {made && secretOrigin === "ours" && <MadeValue value={made} />}
        {verify.secret && <SecretValue key={verify.secret} name={verify.secret} isAwaited={secretOrigin === "sender"} />}
      </section>
      <section className="panel stack" aria-label="Received events">
        <ReceivedEvents trigger={trigger} onUse={setSample} />
      </section>
      <section className="panel stack" aria-label="Request by hand">
        <h2>Send an event by hand</h2>
        <p className="hint">
          {verify.secret ? (
            <>
              This request is signed as {sender} signs and starts a run. Put the value of the secret into{" "}
              <code>${verify.secret}</code> before.
            </>
          ) : (
            "This request starts a run."
          )}
        </p>
        <CodeBlock text={curlOf(url, verify, sample)} isWrapped label="Signed request" />
      </section>
      <div className="panel">
        <TestEvent trigger={trigger} sample={sample} onSample={setSample} />
      </div>
    </div>
  );
}

/** Whether a way to verify is that of one service. */
function isNamed(kind: VerifyKind): boolean {
  return kind === "github" || kind === "stripe" || kind === "slack";
}

function Url({ trigger }: { trigger: Hook }) {
  const [isAsked, setAsked] = useState(false);
  const { url } = trigger;
  return (
    <>
      <h2>URL</h2>
      <div className="hook-url">
        <code>{url}</code>
        <CopyButton text={url} name="Copy URL" />
      </div>
      {isLoopback(url) && (
        <p className="note warn">
          Only this machine reaches this address. Senders on the internet need a public one: set <code>HEADRACE_PUBLIC_URL</code>.
        </p>
      )}
      {!trigger.enabled && <p className="note warn">The trigger is paused: its URL answers 404.</p>}
      <div className="row spread">
        <p className="hint">Anyone who knows it can send to it. Treat it like a password.</p>
        <Button isCompact onClick={() => setAsked(true)}>
          New URL
        </Button>
      </div>
      {isAsked && <RotateUrl trigger={trigger} onClose={() => setAsked(false)} />}
    </>
  );
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname);
}

interface SecretProps {
  name: string;
  /** The sender makes the value, and may show it later than the trigger is made. */
  isAwaited: boolean;
}

/** Puts another value into the secret. */
function SecretValue({ name, isAwaited }: SecretProps) {
  return (
    <Fold summary={isAwaited ? `Paste the value of ${name}` : `Change the value of ${name}`} isOpenAtFirst={isAwaited}>
      <NewValue name={name} />
    </Fold>
  );
}

function NewValue({ name }: { name: string }) {
  const [value, setValue] = useState("");
  const [fault, setFault] = useState("");
  const save = async (): Promise<void> => {
    const wrong = valueFault(value);
    setFault(wrong);
    if (wrong) return;
    try {
      await saveSecret(name, value);
      setValue("");
      toast(`Saved ${name}`);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <form
      className="hook-secret"
      aria-label="Value of the secret"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      noValidate
    >
      {/* Browsers take a form with a password alone for a sign-in. */}
      <input type="text" autoComplete="username" value={name} readOnly hidden />
      <TextField
        label={`New value of ${name}`}
        hint="Nobody can read it again. It counts from the next event on, for all triggers and workflows that use this secret."
        type="password"
        autoComplete="new-password"
        value={value}
        onChange={setValue}
        fault={fault}
      />
      <Button type="submit" disabled={value === ""}>
        Save secret
      </Button>
    </form>
  );
}
