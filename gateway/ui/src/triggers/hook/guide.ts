/** The steps at the sender, and a request that is signed as the sender signs, ready to paste into a shell. */

import type { Verify, VerifyKind } from "../../api/triggers";
import type { SampleEvent } from "./sample";


/** The header that the server reads where an HMAC names none. */
const USUAL_HEADER = "x-signature";

/** `{secret}` and `{header}` stand for names. */
const STEPS: Record<VerifyKind, readonly string[]> = {
  github: [
    "At GitHub, open the repository, then Settings, Webhooks, Add webhook.",
    "Payload URL: the URL above. Content type: application/json.",
    "Secret: the value of {secret}.",
    "Choose the events, such as Issues, and add the webhook. GitHub sends a ping at once; it is skipped where the condition names another event.",
  ],
  stripe: [
    "In the Stripe Dashboard, open Developers, Webhooks, and add a destination of type webhook endpoint.",
    "Endpoint URL: the URL above. Choose the events, such as checkout.session.completed.",
    "Stripe then shows the signing secret, which begins with whsec_: put it into {secret}, below.",
  ],
  slack: [
    "At api.slack.com/apps, open the app. Its page Basic Information shows the Signing Secret: it is the value of {secret}.",
    "Under Event Subscriptions, enable events. Request URL: the URL above. Slack checks it at once and says Verified.",
    "Subscribe to events, such as app_mention, and save. Slack waits 3 seconds for an answer, so this trigger answers at once.",
  ],
  "standard-webhooks": [
    "At the sender, add a webhook endpoint with the URL above.",
    "The signing secret that the sender shows is the value of {secret}.",
  ],
  hmac: [
    "At the sender, add the URL above.",
    "The sender signs the raw body with HMAC-SHA256 and the value of {secret}, and puts the signature into the header {header}.",
  ],
  bearer: [
    "At the sender, add the URL above.",
    "Add the header Authorization with the word Bearer, a space, and the value of {secret}.",
  ],
  none: ["At the sender, add the URL above. Anyone who knows it can start runs: share it with the sender alone."],
};

export function stepsOf({ kind, secret, header }: Verify): readonly string[] {
  return STEPS[kind].map((step) => step.replace("{secret}", secret ?? "").replace("{header}", header || USUAL_HEADER));
}

/** A text in single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text between double quotes of a shell. */
function escaped(text: string): string {
  return text.replace(/["$\\`]/g, "\\$&");
}

const HEX = "sed 's/^.* //'";

/** Headers of the signature, after the lines that compute it. `$body` is the body, `$<name>` the secret. */
function signing(verify: Verify): { lines: string[]; headers: string[] } {
  const secret = verify.secret || "SECRET";
  const digest = (content: string): string => `printf %s "${content}" | openssl dgst -sha256 -hmac "$${secret}"`;
  switch (verify.kind) {
    case "none":
      return { lines: [], headers: [] };
    case "bearer":
      return { lines: [], headers: [`"authorization: Bearer $${secret}"`] };
    case "github":
      return {
        lines: [`signature=$(${digest("$body")} | ${HEX})`],
        headers: ['"x-hub-signature-256: sha256=$signature"', '"x-github-delivery: by-hand-$(date +%s)"'],
      };
    case "stripe":
      return {
        lines: ["now=$(date +%s)", `signature=$(${digest("$now.$body")} | ${HEX})`],
        headers: ['"stripe-signature: t=$now,v1=$signature"'],
      };
    case "slack":
      return {
        lines: ["now=$(date +%s)", `signature=$(${digest("v0:$now:$body")} | ${HEX})`],
        headers: ['"x-slack-request-timestamp: $now"', '"x-slack-signature: v0=$signature"'],
      };
    case "standard-webhooks":
      return standardWebhooks(secret);
    case "hmac": {
      const form = verify.encoding === "base64" ? "-binary | base64 -w 0" : `| ${HEX}`;
      return {
        lines: [`signature=$(${digest("$body")} ${form})`],
        headers: [`"${escaped(`${(verify.header || USUAL_HEADER).toLowerCase()}: ${verify.prefix ?? ""}`)}$signature"`],
      };
    }
  }
}

function standardWebhooks(secret: string): { lines: string[]; headers: string[] } {
  return {
    lines: [
      // The part after whsec_ is base64; another secret counts by its bytes.
      `key=$(case $${secret} in whsec_*) printf %s "\${${secret}#whsec_}" | base64 -d ;; *) printf %s "$${secret}" ;; esac | od -An -vtx1 | tr -d ' \\n')`,
      "now=$(date +%s) id=by-hand-$(date +%s)",
      'signature=$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w 0)',
    ],
    headers: ['"webhook-id: $id"', '"webhook-timestamp: $now"', '"webhook-signature: v1,$signature"'],
  };
}

/** Headers of a sample that the request needs besides: those by which conditions tell events apart. */
function ownHeaders({ headers }: SampleEvent): string[] {
  const isSent = (name: string): boolean => name.startsWith("x-") && name !== "x-github-delivery" && !/signature|forwarded|request-id/.test(name);
  return Object.entries(headers)
    .filter(([name]) => isSent(name))
    .map(([name, value]) => quoted(`${name}: ${value}`));
}

/** Ids are new in each request, since a known one starts nothing. */
function bodyLine(kind: VerifyKind, body: unknown): string {
  const text = quoted(typeof body === "string" ? body : JSON.stringify(body));
  const id = kind === "stripe" && isRecord(body) && typeof body.id === "string" ? body.id : "";
  const event = kind === "slack" && isRecord(body) && typeof body.event_id === "string" ? body.event_id : "";
  const known = id || event;
  // A function, since ids are not ours: in a text, `$'` and the like would stand for parts of the body.
  return known === "" ? `body=${text}` : `body=${text.replace(known, () => `${known}'"$(date +%s)"'`)}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A signed request with the body of a sample; the secret is in the variable of the shell that has its name. */
export function curlOf(url: string, verify: Verify, sample: SampleEvent): string {
  const { lines, headers } = signing(verify);
  const contentType = typeof sample.body === "string" ? "text/plain" : "application/json";
  const sent = [quoted(`content-type: ${contentType}`), ...ownHeaders(sample), ...headers];
  return [
    bodyLine(verify.kind, sample.body),
    ...lines,
    [`curl -s ${quoted(url)}`, ...sent.map((each) => `  -H ${each}`), '  --data-raw "$body"'].join(" \\\n"),
  ].join("\n");
}

