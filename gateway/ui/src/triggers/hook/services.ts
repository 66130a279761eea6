/** Ready settings of inbound webhooks: a way to verify, where its secret comes from, and events to begin with. */

import type { VerifyKind } from "../../api/triggers";
import type { SampleEvent } from "./sample";

/** Place where a secret is made: the sender accepts one of ours, shows one of its own, or needs none. */
type SecretOrigin = "ours" | "sender" | "none";

/** An event that a trigger may wait for. */
export interface ReadyEvent {
  label: string;
  /** Condition in CEL; empty: every event. */
  when: string;
  sample: SampleEvent;
}

export interface Service {
  kind: VerifyKind;
  label: string;
  about: string;
  secretOrigin: SecretOrigin;
  /** Name that is proposed for the secret. */
  secretName: string;
  secretHint: string;
  /** Expression of an event's id, for senders whose ids are not recognized by themselves. */
  eventId: string;
  events: ReadyEvent[];
}

function json(body: unknown, headers: Record<string, string> = {}): SampleEvent {
  return { body, headers: { "content-type": "application/json", ...headers }, query: {}, method: "POST" };
}

const REPOSITORY = { full_name: "octo-org/octo-repo", html_url: "https://github.com/octo-org/octo-repo" };

function github(event: string, body: Record<string, unknown>): SampleEvent {
  const headers = { "x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" };
  return json({ ...body, repository: REPOSITORY, sender: { login: "octocat" } }, headers);
}

const ISSUE = {
  number: 42,
  title: "The export stops after page 3",
  body: "Since yesterday the export has three pages only.",
  html_url: "https://github.com/octo-org/octo-repo/issues/42",
  user: { login: "octocat" },
  labels: [{ name: "bug" }],
};
const PULL_REQUEST = {
  number: 7,
  title: "Export all pages",
  body: "The export follows the cursor to its end.",
  html_url: "https://github.com/octo-org/octo-repo/pull/7",
  user: { login: "octocat" },
  head: { ref: "all-pages" },
  base: { ref: "main" },
};
const PUSH = {
  ref: "refs/heads/main",
  compare: "https://github.com/octo-org/octo-repo/compare/6113728f27ae...0d1a26e67d8f",
  head_commit: { id: "0d1a26e67d8f", message: "Export all pages", author: { name: "Mona Lisa" } },
  commits: [{ id: "0d1a26e67d8f", message: "Export all pages" }],
};

const GITHUB: Service = {
  kind: "github",
  label: "GitHub",
  about: "Webhooks of a repository or an organization.",
  secretOrigin: "ours",
  secretName: "GITHUB_WEBHOOK_SECRET",
  secretHint: "The same value goes into the field Secret at GitHub.",
  eventId: "",
  events: [
    {
      label: "An issue is opened",
      when: 'headers["x-github-event"] == "issues" && body.action == "opened"',
      sample: github("issues", { action: "opened", issue: ISSUE }),
    },
    {
      label: "A pull request is opened",
      when: 'headers["x-github-event"] == "pull_request" && body.action == "opened"',
      sample: github("pull_request", { action: "opened", number: 7, pull_request: PULL_REQUEST }),
    },
    { label: "A push", when: 'headers["x-github-event"] == "push"', sample: github("push", PUSH) },
    { label: "Every event", when: "", sample: github("issues", { action: "opened", issue: ISSUE }) },
  ],
};

function stripe(type: string, object: Record<string, unknown>): SampleEvent {
  return json({ id: "evt_1NG8Du2eZvKYlo2CUI79vXWy", object: "event", type, created: 1_686_089_970, livemode: false, data: { object } });
}

const CHECKOUT = {
  id: "cs_test_a1b2c3",
  object: "checkout.session",
  amount_total: 2000,
  currency: "eur",
  customer_details: { email: "ada@example.com", name: "Ada Lovelace" },
  payment_status: "paid",
};
const INVOICE = {
  id: "in_1MtHbELkdIwHu7ixl4OzzPMv",
  object: "invoice",
  amount_due: 2000,
  currency: "eur",
  customer_email: "ada@example.com",
  hosted_invoice_url: "https://invoice.stripe.com/i/acct_1/test",
};

const STRIPE: Service = {
  kind: "stripe",
  label: "Stripe",
  about: "Events of payments, invoices and customers.",
  secretOrigin: "sender",
  secretName: "STRIPE_WEBHOOK_SECRET",
  secretHint: "The signing secret begins with whsec_. Stripe shows it once it has the URL.",
  eventId: "",
  events: [
    {
      label: "A checkout is completed",
      when: 'body.type == "checkout.session.completed"',
      sample: stripe("checkout.session.completed", CHECKOUT),
    },
    { label: "A payment fails", when: 'body.type == "invoice.payment_failed"', sample: stripe("invoice.payment_failed", INVOICE) },
    { label: "Every event", when: "", sample: stripe("checkout.session.completed", CHECKOUT) },
  ],
};

function slack(event: Record<string, unknown>): SampleEvent {
  return json({
    type: "event_callback",
    team_id: "T0MJRM1A7",
    event_id: "Ev0MDYGDKJ",
    event_time: 1_515_449_522,
    event: { user: "U061F7AUR", channel: "C123ABC456", ts: "1515449522.000016", ...event },
  });
}

const SLACK: Service = {
  kind: "slack",
  label: "Slack",
  about: "Events of a Slack app: messages, mentions, reactions.",
  secretOrigin: "sender",
  secretName: "SLACK_SIGNING_SECRET",
  secretHint: "Signing Secret of the app, on its page Basic Information.",
  eventId: "body.event_id",
  events: [
    {
      label: "The app is mentioned",
      when: 'body.event.type == "app_mention"',
      sample: slack({ type: "app_mention", text: "<@U0LAN0Z89> how is the build?" }),
    },
    {
      label: "A person writes a message",
      when: 'body.event.type == "message" && !has(body.event.bot_id)',
      sample: slack({ type: "message", channel_type: "channel", text: "The build is red." }),
    },
    { label: "Every event", when: "", sample: slack({ type: "app_mention", text: "<@U0LAN0Z89> how is the build?" }) },
  ],
};

const ORDER = json({ type: "order.created", data: { id: "ord_1001", title: "Two mugs", total: 24.5, email: "ada@example.com" } });
const EVERY: ReadyEvent[] = [{ label: "Every event", when: "", sample: ORDER }];

const OTHERS: Service[] = [
  {
    kind: "standard-webhooks",
    label: "Standard Webhooks",
    about: "Senders that sign by standardwebhooks.com, Headrace itself among them.",
    secretOrigin: "sender",
    secretName: "WEBHOOK_SECRET",
    secretHint: "It usually begins with whsec_.",
    eventId: "",
    events: EVERY,
  },
  {
    kind: "hmac",
    label: "HMAC",
    about: "Any sender that signs the body with HMAC-SHA256 and puts the signature into a header.",
    secretOrigin: "ours",
    secretName: "WEBHOOK_SECRET",
    secretHint: "The sender signs with the same value.",
    eventId: "",
    events: EVERY,
  },
  {
    kind: "bearer",
    label: "Bearer token",
    about: "Senders that can add a header, but do not sign: Authorization: Bearer and the secret.",
    secretOrigin: "ours",
    secretName: "WEBHOOK_TOKEN",
    secretHint: "The sender puts it into the header Authorization, after the word Bearer.",
    eventId: "",
    events: EVERY,
  },
  {
    kind: "none",
    label: "No signature",
    about: "Senders that can neither sign nor add a header.",
    secretOrigin: "none",
    secretName: "",
    secretHint: "",
    eventId: "",
    events: EVERY,
  },
];

export const SERVICES: readonly Service[] = [GITHUB, STRIPE, SLACK, ...OTHERS];

export function serviceOf(kind: VerifyKind): Service {
  return SERVICES.find((each) => each.kind === kind) ?? GITHUB;
}
