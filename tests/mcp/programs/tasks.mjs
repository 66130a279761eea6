// Tasks of the extension `io.modelcontextprotocol/tasks`, by @modelcontextprotocol/ext-tasks over
// requests of our own, which the package asks for: the client's wire rejects them.
import { EventSourceParserStream } from "eventsource-parser/stream";

const VERSION = "2026-07-28";
const INFO = { name: "scenario", version: "1" };
const CAPABILITIES = { extensions: { "io.modelcontextprotocol/tasks": {} } };
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": INFO,
  "io.modelcontextprotocol/clientCapabilities": CAPABILITIES,
};
export const FRAMING = { protocolVersion: VERSION, clientInfo: INFO, clientCapabilities: CAPABILITIES };
const ENDED = new Set(["completed", "failed", "cancelled"]);
const POLL_MS = 100;
let number = 0;

class RpcError extends Error {
  constructor({ code, message, data }, status) {
    super(message);
    Object.assign(this, { code, data, status });
  }
}

/** Sends one request of the modern revision; gives the response, from JSON or from a stream of events. */
export function rawRequests(url, fetchWith) {
  return async (request, { signal } = {}) => {
    const id = request.id ?? `raw-${++number}`;
    const { method, params } = request;
    const name = params?.name ?? params?.taskId;
    const headers = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": VERSION,
      "mcp-method": method,
      ...(name && { "mcp-name": name }),
    };
    const answer = await fetchWith(url, { method: "POST", headers, body: JSON.stringify({ ...request, jsonrpc: "2.0", id }), signal });
    if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) {
      const response = await answer.json();
      return response.error instanceof Object ? response : answer.ok ? response : { jsonrpc: "2.0", id, error: { code: -32603, message: `HTTP ${answer.status}` } };
    }
    for await (const { data } of answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
      const message = data && JSON.parse(data);
      if (message && message.id === id) return message;
    }
    throw new Error("the stream ended without a response");
  };
}

async function ask(raw, method, params) {
  const response = await raw({ method, params: { ...params, _meta: META } });
  if (response.error) throw new RpcError(response.error);
  return response.result;
}

export const beginTask = (raw, { name, arguments: given = {} }) => ask(raw, "tools/call", { name, arguments: given });
export const sendTask = (raw, verb, taskId) => ask(raw, `tasks/${verb}`, { taskId });

export async function settleTask(raw, taskId) {
  let task;
  while (!ENDED.has((task = await sendTask(raw, "get", taskId)).status)) await new Promise((tell) => setTimeout(tell, POLL_MS));
  return task;
}
