/** Tags and the webhook of a run or a batch, as they are typed, and the members of the body made of them. */

import { useState } from "react";
import { ENDS } from "../components/events";
import { splitTags, tagFault } from "../components/tags";
import type { Faults } from "./inputs";

export interface OptionValues {
  tags: string;
  hasWebhook: boolean;
  url: string;
  secret: string;
  events: string[];
}

export interface RunOptions {
  values: OptionValues;
  /** By the member of the body: `tags`, `webhook.url`, `webhook.secret`, `webhook.events`. */
  faults: Faults;
  change: (changes: Partial<OptionValues>) => void;
  /** Show a refusal of the server at its member; false: none of these is at fault. */
  refuse: (field: string, reason: string) => boolean;
  /** The members of the body, or null where one is at fault. */
  checked: () => Record<string, unknown> | null;
}

const BEGIN: OptionValues = { tags: "", hasWebhook: false, url: "", secret: "", events: ENDS };
const MEMBERS = ["tags", "webhook.url", "webhook.secret", "webhook.events"];
const SHORTEST_SECRET = 16;

export function useRunOptions(hasEvents: boolean, begin: Partial<OptionValues> = {}): RunOptions {
  const [values, setValues] = useState<OptionValues>(() => ({ ...BEGIN, ...begin }));
  const [faults, setFaults] = useState<Faults>({});
  const change = (changes: Partial<OptionValues>): void => {
    setValues((now) => ({ ...now, ...changes }));
    setFaults({});
  };
  const refuse = (field: string, reason: string): boolean => {
    const member = MEMBERS.find((each) => field === each || field.startsWith(`${each}.`) || field.startsWith(`${each}[`));
    const shown = member ?? (field === "webhook" ? "webhook.url" : undefined);
    if (shown) setFaults({ [shown]: reason });
    return shown !== undefined;
  };
  const checked = (): Record<string, unknown> | null => {
    const wrong = check(values, hasEvents);
    setFaults(wrong);
    return Object.keys(wrong).length > 0 ? null : bodyOf(values, hasEvents);
  };
  return { values, faults, change, refuse, checked };
}

function check({ tags, hasWebhook, url, secret, events }: OptionValues, hasEvents: boolean): Faults {
  const faults: Faults = {};
  const wrong = tagFault(splitTags(tags));
  if (wrong) faults.tags = wrong;
  if (!hasWebhook) return faults;
  if (!/^https?:\/\/./.test(url)) faults["webhook.url"] = "An address that begins with https:// is needed.";
  if ([...secret].length < SHORTEST_SECRET) {
    faults["webhook.secret"] = secret ? `At least ${SHORTEST_SECRET} characters.` : "A secret is needed: runs of these pages have no key to sign with.";
  }
  if (hasEvents && events.length === 0) faults["webhook.events"] = "Choose at least one.";
  return faults;
}

function bodyOf({ tags, hasWebhook, url, secret, events }: OptionValues, hasEvents: boolean): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const given = splitTags(tags);
  if (given.length > 0) body.tags = given;
  if (hasWebhook) body.webhook = hasEvents ? { url, secret, events } : { url, secret };
  return body;
}

const SECRET_BYTES = 32;

/** A secret of the form that the server makes. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
