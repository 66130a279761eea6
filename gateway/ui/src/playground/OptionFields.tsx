import { useId } from "react";
import { Button } from "../components/Button";
import { CopyButton } from "../components/CopyButton";
import { EventChoice } from "../components/EventChoice";
import { TagField } from "../components/TagField";
import { TextField } from "../components/TextField";
import { makeSecret, type RunOptions } from "./options";

interface Props {
  options: RunOptions;
  /** Whether the webhook has a choice of events. */
  hasEvents: boolean;
}

const HINT = "It is told of this run alone. The secret signs each call.";
const BATCH_HINT = "It is told once, when the batch has ended. The secret signs the call.";

/** Tags and a webhook of a run or a batch. */
export function OptionFields({ options, hasEvents }: Props) {
  const { values, faults, change } = options;
  return (
    <div className="stack run-options">
      <TagField text={values.tags} fault={faults.tags} onChange={(tags) => change({ tags })} />
      <label className="option-check">
        <input type="checkbox" checked={values.hasWebhook} onChange={(event) => change({ hasWebhook: event.target.checked })} />
        Send it to a webhook
      </label>
      {values.hasWebhook && <WebhookFields options={options} hasEvents={hasEvents} hint={hasEvents ? HINT : BATCH_HINT} />}
    </div>
  );
}

/** The URL, the secret and the events of an outbound webhook. */
export function WebhookFields({ options: { values, faults, change }, hasEvents, hint }: Props & { hint: string }) {
  const id = useId();
  return (
    <fieldset className="stack webhook-fields" aria-label="Webhook" aria-describedby={id}>
      <p className="muted small" id={id}>
        {hint}
      </p>
      <TextField
        label="Webhook URL"
        type="url"
        placeholder="https://example.com/hooks/headrace"
        value={values.url}
        fault={faults["webhook.url"]}
        onChange={(url) => change({ url })}
      />
      <div className="secret-row">
        <TextField
          label="Secret"
          hint="The receiver needs it, and it is not shown again."
          value={values.secret}
          fault={faults["webhook.secret"]}
          onChange={(secret) => change({ secret })}
          spellCheck={false}
          autoComplete="off"
        />
        {values.secret ? (
          <CopyButton text={values.secret} name="Copy the secret" />
        ) : (
          <Button isCompact onClick={() => change({ secret: makeSecret() })}>
            Make one
          </Button>
        )}
      </div>
      {hasEvents && <EventChoice chosen={values.events} fault={faults["webhook.events"]} onChange={(events) => change({ events })} />}
    </fieldset>
  );
}
