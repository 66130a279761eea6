/** Settings of an inbound webhook as the form edits them, and as the API takes them. */

import type { Hook, Verify, VerifyKind } from "../../api/triggers";
import type { Faults } from "../common/faults";
import type { InputField, SampleEvent } from "./sample";
import { serviceOf } from "./services";

/** The members of a trigger that only an inbound webhook has. */
type HookSettings = Pick<Hook, "verify" | "respond"> & {
  when?: string | null;
  inputs?: Record<string, string> | null;
  eventId?: string | null;
};

export interface HookDraft {
  verify: Verify;
  when: string;
  /** False: the members of the body are the inputs. */
  isMapped: boolean;
  inputs: Record<string, string>;
  eventId: string;
  respond: Hook["respond"];
}

export function emptyHook(kind: VerifyKind): HookDraft {
  const service = serviceOf(kind);
  const when = service.events[0]?.when ?? "";
  return { verify: usualVerify(kind), when, isMapped: false, inputs: {}, eventId: service.eventId, respond: "accepted" };
}

/** The way to verify that a service begins with. */
export function usualVerify(kind: VerifyKind): Verify {
  if (kind === "none") return { kind };
  return kind === "hmac" ? { kind, secret: "", header: "x-signature-256", prefix: "sha256=", encoding: "hex" } : { kind, secret: "" };
}

/** The ready sample whose condition a draft has, else the first of its sender. */
export function sampleFor({ verify, when }: HookDraft): SampleEvent {
  const { events } = serviceOf(verify.kind);
  return (events.find((each) => each.when === when) ?? events[0])?.sample ?? { body: {}, headers: {}, query: {}, method: "POST" };
}

export function draftOf({ verify, when, inputs, eventId, respond }: HookSettings): HookDraft {
  return { verify, when: when ?? "", isMapped: Boolean(inputs), inputs: inputs ?? {}, eventId: eventId ?? "", respond };
}

/** The members of a request that saves a draft; null takes a former value away, and inputs that the workflow lacks are left out. */
export function settingsOf({ verify, when, isMapped, inputs, eventId, respond }: HookDraft, fields: readonly InputField[] | undefined): HookSettings {
  const isKnown = (name: string): boolean => !fields || fields.some((each) => each.name === name);
  const written = Object.entries(inputs).filter(([name, expression]) => expression.trim() !== "" && isKnown(name));
  return {
    verify: verifyOf(verify),
    when: when.trim() || null,
    inputs: isMapped ? Object.fromEntries(written) : null,
    eventId: eventId.trim() || null,
    respond,
  };
}

function verifyOf({ kind, secret, header, prefix, encoding }: Verify): Verify {
  if (kind === "none") return { kind };
  if (kind !== "hmac") return { kind, secret };
  return { kind, secret, header: header?.trim(), ...(prefix && { prefix }), encoding: encoding ?? "hex" };
}

const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** What can be told without the server. */
export function faultsOf({ verify }: HookDraft): Faults {
  const faults: Faults = {};
  if (verify.kind !== "none" && !verify.secret) faults["verify.secret"] = "Choose a secret, or make one.";
  if (verify.kind === "hmac" && !HEADER.test(verify.header?.trim() ?? "")) faults["verify.header"] = "Name the header that has the signature.";
  return faults;
}
