/** Events that an inbound webhook received, as samples. */

import { get } from "../../api/client";
import { type Occurrence, triggerPath } from "../../api/triggers";
import type { SampleEvent } from "./sample";

/** An occurrence with the event that it is about; both are null once the event is no longer kept. */
interface ReceivedEvent extends Occurrence {
  body: unknown;
  headers: Record<string, string> | null;
}

export const NOT_KEPT = "This event is not kept any more";

/** The event of an occurrence, or null where it is no longer kept. Raises ApiError. */
export async function eventOf(triggerId: string, occurrenceId: string): Promise<SampleEvent | null> {
  const { body, headers } = await get<ReceivedEvent>(`${triggerPath(triggerId)}/occurrences/${occurrenceId}`);
  if (body === null && headers === null) return null;
  return { body, headers: headers ?? {}, query: {}, method: "POST" };
}

/** Whether the test of an event can tell the reason of its failure. */
export function canBeTried({ status, reason }: Occurrence): boolean {
  return status === "failed" && reason === "invalid_inputs";
}

/** The address of the test of an event. */
export function trialOf(triggerId: string, occurrenceId: string): string {
  return `/app/triggers/${triggerId}?tab=connect&event=${occurrenceId}`;
}
