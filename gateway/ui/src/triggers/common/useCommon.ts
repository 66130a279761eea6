/** Settings that both kinds of triggers have, as they are typed, and the members of the body made of them. */

import { useState } from "react";
import type { Trigger } from "../../api/triggers";
import { ENDS } from "../../components/events";
import { type RunOptions, useRunOptions } from "../../playground/options";
import type { Faults } from "./faults";

interface CommonValues {
  name: string;
  slug: string;
  /** Number of a version; empty for the live one. */
  version: string;
  /** Most credits of a run; empty without a limit. */
  credits: string;
}

export interface CommonSettings {
  values: CommonValues;
  /** By the member of the body. */
  faults: Faults;
  /** The outbound webhook of the runs. */
  webhook: RunOptions;
  /** Whether the webhook that the trigger has stays as it is. */
  keepsWebhook: boolean;
  setKeepsWebhook: (keeps: boolean) => void;
  change: (changes: Partial<CommonValues>) => void;
  /** Show a refusal of the server at its member; false: none of these is at fault. */
  refuse: (field: string, reason: string) => boolean;
  /** The members of the body, or null where one is at fault. `name` stands for an empty one. */
  checked: (name: string) => Record<string, unknown> | null;
}

const MEMBERS = ["name", "workflowSlug", "version", "max_credits"];
/** Most characters of a name. */
const MOST_NAME = 100;

export function useCommon(trigger: Trigger | null, slug: string): CommonSettings {
  const [values, setValues] = useState<CommonValues>(() => begin(trigger, slug));
  const [faults, setFaults] = useState<Faults>({});
  const [keepsWebhook, setKeepsWebhook] = useState(trigger?.webhook !== undefined);
  const { url = "", events = ENDS } = trigger?.webhook ?? {};
  const webhook = useRunOptions(true, { hasWebhook: url !== "", url, events });
  const change = (changes: Partial<CommonValues>): void => {
    setValues((now) => ({ ...now, ...changes }));
    setFaults({});
  };
  const refuse = (field: string, reason: string): boolean => {
    const member = MEMBERS.find((each) => each === field);
    if (member) setFaults({ [member]: reason });
    if (!member && webhook.refuse(field, reason)) setKeepsWebhook(false);
    else if (!member) return false;
    return true;
  };
  const checked = (name: string): Record<string, unknown> | null => {
    const wrong = check(values);
    setFaults(wrong);
    const told = keepsWebhook ? {} : webhook.checked();
    if (Object.keys(wrong).length > 0 || told === null) return null;
    const body = bodyOf(values, name);
    return keepsWebhook ? body : { ...body, webhook: told.webhook ?? null };
  };
  return { values, faults, webhook, keepsWebhook, setKeepsWebhook, change, refuse, checked };
}

function begin(trigger: Trigger | null, slug: string): CommonValues {
  if (!trigger) return { name: "", slug, version: "", credits: "" };
  const { name, workflowSlug, version, max_credits: credits } = trigger;
  return { name, slug: workflowSlug, version: String(version ?? ""), credits: String(credits ?? "") };
}

function check({ name, slug, credits }: CommonValues): Faults {
  const faults: Faults = {};
  if (slug === "") faults.workflowSlug = "Choose the workflow that it runs.";
  if ([...name].length > MOST_NAME) faults.name = `At most ${MOST_NAME} characters.`;
  if (credits !== "" && !/^\d+$/.test(credits)) faults.max_credits = "A whole number, or nothing for no limit.";
  return faults;
}

function bodyOf({ name, slug, version, credits }: CommonValues, unnamed: string): Record<string, unknown> {
  return {
    name: name.trim() || [...unnamed].slice(0, MOST_NAME).join(""),
    workflowSlug: slug,
    version: version === "" ? null : Number(version),
    max_credits: credits === "" ? null : Number(credits),
  };
}
