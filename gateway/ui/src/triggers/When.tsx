import type { Trigger } from "../api/triggers";
import { useClock } from "../components/Ago";
import { cronInWords } from "./cron";
import { momentIn, until } from "./words";

/** The times of a schedule in words; for an inbound webhook, the service that sends to it. */
export function timesOf(trigger: Trigger): string {
  if (trigger.kind === "schedule") return cronInWords(trigger.cron) || trigger.cron;
  return SENDERS[trigger.verify.kind];
}

const SENDERS = {
  none: "On each request, unverified",
  bearer: "On each request with the token",
  hmac: "On each signed request",
  github: "On an event of GitHub",
  stripe: "On an event of Stripe",
  slack: "On a request of Slack",
  "standard-webhooks": "On a signed webhook",
};

const TICK_MS = 5_000;

/** The time until a moment, which follows the clock. */
export function Until({ at, timeZone }: { at: string; timeZone: string }) {
  const now = useClock(TICK_MS);
  return (
    <time dateTime={at} title={momentIn(at, timeZone)}>
      {until(at, Math.max(now, Date.now()))}
    </time>
  );
}
