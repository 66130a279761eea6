import { type FormEvent, useEffect, useState } from "react";
import { call, get } from "../api/client";
import { KEYS } from "../api/paths";
import { invalidate } from "../api/resource";
import type { ApiKey, SavedWebhook, Webhook } from "../api/types";
import { Button } from "../components/Button";
import { CodeBlock } from "../components/CodeBlock";
import { EventChoice } from "../components/EventChoice";
import { ENDS, KEY_EVENTS } from "../components/events";
import { Empty } from "../components/States";
import { TextField } from "../components/TextField";
import { toast } from "../components/Toast";
import { useParameter } from "../shell/router";
import { Deliveries } from "./Deliveries";

function mayReceive(key: ApiKey): boolean {
  return key.capabilities.some((each) => ["webhook:receive", "webhook:*", "*"].includes(each));
}

export function WebhookTab({ keys }: { keys: ApiKey[] }) {
  const able = keys.filter(mayReceive);
  const [keyId, setKeyId] = useParameter("key", able[0]?.id ?? "");
  const key = able.find((each) => each.id === keyId) ?? able[0];
  if (!key) {
    return (
      <Empty title="No key may have a webhook">
        <p>Create one with the preset "Run with webhooks": what it runs async is then told to your URL.</p>
      </Empty>
    );
  }
  return (
    <div className="webhook">
      {able.length > 1 && (
        <div className="field key-choice">
          <label htmlFor="webhook-key">Key</label>
          <select
            id="webhook-key"
            className="input"
            value={key.id}
            onChange={(event) => setKeyId(event.target.value)}
          >
            {able.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name} (…{each.last4})
              </option>
            ))}
          </select>
        </div>
      )}
      <KeyWebhook key={key.id} apiKey={key} isOnly={able.length === 1} />
    </div>
  );
}

interface KeptWebhook {
  /** Null where the key has none. */
  webhook: Webhook | null;
  url: string;
  setUrl: (url: string) => void;
  /** Known right after it was made, and never again. */
  secret: string;
  events: string[];
  setEvents: (events: string[]) => void;
  fault: string;
  save: (changes: { enabled?: boolean; secret?: null }) => Promise<void>;
}

/** The webhook of a key, with the URL as it is typed. */
function useWebhook(path: string, apiKey: ApiKey): KeptWebhook {
  const [webhook, setWebhook] = useState<Webhook | null>(null);
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState("");
  const [events, setEvents] = useState(ENDS);
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (!apiKey.webhook) return;
    get<Webhook>(path).then(
      (saved) => {
        setWebhook(saved);
        setUrl((typed) => typed || saved.url);
        setEvents(saved.events ?? ENDS);
      },
      (error: Error) => setFault(error.message),
    );
  }, [path, apiKey]);
  const save = async (changes: { enabled?: boolean; secret?: null }): Promise<void> => {
    setFault("");
    const isChosen = events.join() !== (webhook?.events ?? ENDS).join();
    try {
      const saved = await call<SavedWebhook>("PUT", path, { url, ...(isChosen && { events }), ...changes });
      setWebhook(saved);
      setSecret(saved.secret ?? "");
      toast("Saved the webhook");
      invalidate(KEYS);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return { webhook, url, setUrl, secret, events, setEvents, fault, save };
}

function KeyWebhook({ apiKey, isOnly }: { apiKey: ApiKey; isOnly: boolean }) {
  const path = `${KEYS}/${apiKey.id}/webhook`;
  const { webhook, url, setUrl, secret, events, setEvents, fault, save } = useWebhook(path, apiKey);
  return (
    <>
      <section className="panel stack" aria-labelledby="webhook-heading">
        <div className="row spread">
          <h2 id="webhook-heading">Webhook{isOnly && ` of "${apiKey.name}"`}</h2>
          {webhook && (
            <span className={`badge ${webhook.enabled ? "good" : "warn"}`}>{webhook.enabled ? "Enabled" : "Disabled"}</span>
          )}
        </div>
        <p className="muted">
          The runs of this key that nobody waits for are told of here, signed: those with <code>?async=true</code>, and those whose caller gave up.
          A run with a webhook of its own is told of there alone.
        </p>
        {webhook?.disabledReason && <p className="note warn">{webhook.disabledReason}</p>}
        <form
          className="webhook-form"
          noValidate
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            void save({ enabled: true });
          }}
        >
          <TextField
            label="URL"
            type="url"
            placeholder="https://example.com/hooks/headrace"
            value={url}
            onChange={setUrl}
            fault={fault}
          />
          <Button look="primary" type="submit" disabled={!url || events.length === 0}>
            Save
          </Button>
          <div className="webhook-events">
            <EventChoice
              known={KEY_EVENTS}
              chosen={events}
              fault={events.length === 0 ? "Choose at least one." : ""}
              onChange={setEvents}
            />
          </div>
        </form>
        {secret && (
          <div className="stack">
            <p>
              The secret that signs the events: <strong>it is not shown again.</strong>
            </p>
            <CodeBlock text={secret} isWrapped label="Secret of the webhook" />
          </div>
        )}
        {webhook && <Actions path={path} webhook={webhook} onSave={save} />}
      </section>
      <Deliveries path={path} hasWebhook={webhook !== null} />
    </>
  );
}

/** Buttons of a webhook that is saved. */
function Actions({ path, webhook, onSave }: { path: string; webhook: Webhook; onSave: KeptWebhook["save"] }) {
  const test = async (): Promise<void> => {
    try {
      await call("POST", `${path}/test`);
      toast("A test event is on its way");
      invalidate(`${path}/deliveries`);
    } catch (error) {
      toast((error as Error).message);
    }
  };
  return (
    <div className="row">
      <Button onClick={() => void test()} disabled={!webhook.enabled}>
        Send test
      </Button>
      <Button onClick={() => void onSave({ secret: null })}>New secret</Button>
      {webhook.enabled && (
        <Button look="quiet" onClick={() => void onSave({ enabled: false })}>
          Disable
        </Button>
      )}
    </div>
  );
}
