import { useId } from "react";
import { WORKFLOWS } from "../../api/paths";
import { useResource } from "../../api/resource";
import type { Trigger } from "../../api/triggers";
import type { Page, WorkflowVersion } from "../../api/types";
import { Button } from "../../components/Button";
import { TextField } from "../../components/TextField";
import { WebhookFields } from "../../playground/OptionFields";
import type { CommonSettings } from "./useCommon";

/** Settings that most triggers leave as they are: the version, the limit of credits and the webhook of the runs. */
export function MoreFields({ common, trigger }: { common: CommonSettings; trigger: Trigger | null }) {
  const { values, faults, change } = common;
  const isChanged = Boolean(trigger?.version ?? trigger?.max_credits ?? trigger?.webhook);
  return (
    <details className="trigger-more" open={isChanged || undefined}>
      <summary>Version, limit of credits and webhook</summary>
      <div className="stack">
        <VersionField slug={values.slug} version={values.version} fault={faults.version} onChange={(version) => change({ version })} />
        <TextField
          label="Most credits of a run"
          hint="Empty: no limit besides the balance. A run that would cost more does not begin."
          inputMode="numeric"
          value={values.credits}
          fault={faults.max_credits}
          onChange={(credits) => change({ credits: credits.trim() })}
          autoComplete="off"
        />
        <RunWebhook common={common} trigger={trigger} />
      </div>
    </details>
  );
}

interface VersionProps {
  slug: string;
  version: string;
  fault?: string;
  onChange: (version: string) => void;
}

function VersionField({ slug, version, fault, onChange }: VersionProps) {
  const id = useId();
  const found = useResource<Page<WorkflowVersion>>(slug ? `${WORKFLOWS}/${slug}/versions` : null).data?.rows ?? [];
  const isListed = version === "" || found.some((row) => String(row.version) === version);
  return (
    <div className="field">
      <label htmlFor={id}>Version</label>
      <select id={id} className="input" value={version} aria-invalid={fault ? true : undefined} onChange={(event) => onChange(event.target.value)}>
        <option value="">The live one, whichever is published</option>
        {!isListed && <option value={version}>Version {version}</option>}
        {found.map((row) => (
          <option key={row.version} value={row.version}>
            Version {row.version}
            {row.note && `: ${row.note}`}
          </option>
        ))}
      </select>
      {fault && <p className="fault">{fault}</p>}
    </div>
  );
}

/** The outbound webhook of the runs. One that is set is shown by its address, since nobody can read its secret. */
function RunWebhook({ common: { webhook, keepsWebhook, setKeepsWebhook }, trigger }: { common: CommonSettings; trigger: Trigger | null }) {
  const { hasWebhook } = webhook.values;
  if (keepsWebhook && trigger?.webhook) {
    return (
      <div className="row spread">
        <p>
          Each run is told to <code>{trigger.webhook.url}</code>
        </p>
        <Button isCompact onClick={() => setKeepsWebhook(false)}>
          Change
        </Button>
      </div>
    );
  }
  return (
    <>
      <label className="option-check">
        <input type="checkbox" checked={hasWebhook} onChange={(event) => webhook.change({ hasWebhook: event.target.checked })} />
        Tell a webhook of each run
      </label>
      {hasWebhook && <WebhookFields options={webhook} hasEvents hint="It is told of each run of this trigger. The secret signs each call." />}
    </>
  );
}
