/** The format of server-sent events. */

export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/** Yield the events of a body. `heard` is called for each piece that arrives, comments included. */
export async function* readServerSentEvents(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<ServerSentEvent, void, undefined> {
  let [id, event, data] = ["", "", [] as string[]];
  for await (const line of readLines(body, heard)) {
    if (line === "") {
      if (data.length) yield { id, event: event || "message", data: data.join("\n") };
      [event, data] = ["", []];
      continue;
    }
    const [name, value] = field(line);
    if (name === "id") id = value;
    else if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
}

function field(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(" ") ? value.slice(1) : value];
}

/** Yield lines; the last one is left out where it has no end, since it broke off. */
async function* readLines(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      // A carriage return at the end may be the first half of a line's end.
      const text = rest + decoder.decode(value, { stream: true });
      const lines = text.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    reader.releaseLock();
  }
}
