import { useState } from "react";
import { change, type Trigger } from "../api/triggers";
import { toast } from "../components/Toast";
import "../playground/form.css";

/** Pauses a trigger and lets it go on. */
export function EnabledSwitch({ trigger, label = `${trigger.name} is enabled` }: { trigger: Trigger; label?: string }) {
  const [isBusy, setBusy] = useState(false);
  const switchTo = async (enabled: boolean): Promise<void> => {
    setBusy(true);
    try {
      await change(trigger.id, { enabled });
      toast(enabled ? `${trigger.name} goes on` : `${trigger.name} is paused`);
    } catch (error) {
      toast((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <input
      type="checkbox"
      role="switch"
      className="switch"
      aria-label={label}
      checked={trigger.enabled}
      disabled={isBusy}
      onChange={(event) => void switchTo(event.target.checked)}
    />
  );
}
