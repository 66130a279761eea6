/** Server-sent events of one run, read by `fetch`, which can send a body and headers. */

import { ApiError, errorOf, UNREACHABLE } from "./client";

export interface RunEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

/** Read events from an answer until it ends or breaks. */
export async function* readEvents(answer: Response): AsyncGenerator<RunEvent> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parse(block);
      if (event) yield event;
    }
  }
}

function parse(block: string): RunEvent | null {
  const members: Record<string, string> = {};
  for (const line of block.split("\n")) {
    const place = line.indexOf(": ");
    if (place > 0) members[line.slice(0, place)] = line.slice(place + 2);
  }
  const { id = "", event, data } = members;
  return event && data ? { id, name: event, data: JSON.parse(data) } : null;
}

const RETRY_MS = 1_000;

/**
 * Start a run and yield its events to the last one, over as many connections as it takes.
 *
 * Throws ApiError for a run that is refused.
 */
export async function* run(path: string, body: object): AsyncGenerator<RunEvent> {
  const headers = { accept: "text/event-stream", "content-type": "application/json" };
  let answer: Response;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new ApiError(0, { error: UNREACHABLE });
  }
  if (!answer.ok) throw await errorOf(answer);
  yield* follow(answer, "");
}

/** Yield all events of an execution, over as many connections as it takes. */
export async function* watch(executionId: string): AsyncGenerator<RunEvent> {
  const url = `/api/executions/${executionId}/events`;
  yield* follow(await connect(url, ""), url);
}

async function* follow(first: Response, url: string): AsyncGenerator<RunEvent> {
  let answer = first;
  let eventsUrl = url;
  let last = "";
  for (;;) {
    try {
      for await (const event of readEvents(answer)) {
        last = event.id;
        eventsUrl ||= `/api/executions/${event.data.executionId}/events`;
        yield event;
        if (event.name === "execution.finished") return;
      }
    } catch (error) {
      if (!eventsUrl) throw error;
    }
    if (!eventsUrl) throw new ApiError(0, { error: UNREACHABLE });
    await new Promise((done) => setTimeout(done, RETRY_MS));
    answer = await connect(eventsUrl, last);
    if (answer.status === 204) return;
  }
}

async function connect(url: string, last: string): Promise<Response> {
  for (;;) {
    try {
      const answer = await fetch(url, { headers: last ? { "last-event-id": last } : {} });
      if (answer.ok) return answer;
      if (answer.status < 500 && answer.status !== 429) throw await errorOf(answer);
    } catch (error) {
      if (error instanceof ApiError) throw error;
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
}
