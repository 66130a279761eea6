// Opens the client of a scenario: that of @modelcontextprotocol/client, or of @modelcontextprotocol/sdk.
import * as v2 from "@modelcontextprotocol/client";
import { createTaskSessionFromClient, resultFromTaskOutcome } from "@modelcontextprotocol/ext-tasks/client";
import * as v1 from "@modelcontextprotocol/sdk/client/index.js";
import * as v1http from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { FRAMING, rawRequests } from "./tasks.mjs";

const URL_OF_SERVER = new URL(process.env.MCP_URL);
const REDIRECT = "http://127.0.0.1:9/callback";
const CHANGED = "notifications/tools/list_changed";
const INFO = { name: "scenario", version: "1" };

/** Fetches with the scenario's headers; notes the status of an answer that is an error. */
function noting(seen, headers, revision) {
  return async (url, init = {}) => {
    const all = new Headers(init.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    let { body } = init;
    if (revision && typeof body === "string" && body.includes('"method":"initialize"')) {
      const request = JSON.parse(body);
      request.params.protocolVersion = revision;
      body = JSON.stringify(request);
    }
    const answer = await fetch(url, { ...init, body, headers: all });
    if (answer.status >= 400) seen.status = answer.status;
    return answer;
  };
}

/** What a client of people keeps; the lab goes the way of a person through the page of consent. */
class Provider {
  constructor(grant, { tokens, consent }, name) {
    Object.assign(this, { grant, kept: tokens, consent, clientName: name });
  }
  redirectUrl = REDIRECT;
  get clientMetadata() {
    return {
      client_name: this.clientName,
      redirect_uris: [REDIRECT],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }
  state = () => (this.kept.state = crypto.randomUUID());
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  codeVerifier = () => this.kept.verifier;
  redirectToAuthorization = async (url) => {
    this.back = new URL((await this.consent(String(url), this.grant)).location);
  };
}

function transportOptions(options, keys, around, revision) {
  const headers = { ...options.headers };
  const isGranted = "grant" in options;
  const provider = isGranted ? new Provider(options.grant, around, options.clientName ?? "Scenario") : undefined;
  if (!isGranted) {
    const key = keys[options.key ?? "main"];
    const name = options.header ?? "x-api-key";
    headers[name] = name === "authorization" ? `Bearer ${key}` : key;
  }
  return { provider, fetch: noting(around.seen, headers, revision) };
}

/** Connects; after a consent the client connects again, with its token. */
async function connect(make, provider) {
  const first = make();
  try {
    await first.client.connect(first.transport);
    return first;
  } catch (error) {
    if (!provider?.back) throw error;
    const { searchParams } = provider.back;
    if (!searchParams.get("code")) throw new Error(`refused: ${searchParams.get("error")}`);
    await first.transport.finishAuth(searchParams.get("code"), searchParams.get("iss") ?? undefined);
    const second = make();
    await second.client.connect(second.transport);
    return second;
  }
}

async function openV2(way, options, keys, around) {
  const { provider, fetch } = transportOptions(options, keys, around);
  const mode = way === "modern" ? "auto" : "legacy";
  const make = () => {
    const client = new v2.Client(INFO, { versionNegotiation: { mode } });
    client.setNotificationHandler(CHANGED, around.onChange);
    return { client, transport: new v2.StreamableHTTPClientTransport(URL_OF_SERVER, { fetch, authProvider: provider }) };
  };
  const { client } = await connect(make, provider);
  const raw = rawRequests(URL_OF_SERVER, fetch);
  return {
    client,
    raw,
    // `listTools` without a cursor would follow all cursors by itself.
    listTools: async (params) => {
      const page = await client.request({ method: "tools/list", params });
      if (!params.cursor && !page.nextCursor) await client.listTools();
      return page;
    },
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    callTool: options.tasks && mode === "auto" ? throughTasks(client, raw) : (params, given) => client.callTool(params, given),
    listen: async () => (mode === "auto" ? (await client.listen({ toolsListChanged: true })).honoredFilter : { toolsListChanged: true }),
  };
}

/** Calls a tool as an application with ext-tasks does: the call settles, task or not. */
function throughTasks(client, raw) {
  return async ({ name, arguments: given }, { signal }) => {
    const session = createTaskSessionFromClient(client, { endpointId: "headrace", rawDispatch: raw, v2RequestFraming: FRAMING });
    try {
      const execution = await session.callTool(name, given, { signal });
      const { outcome } = await execution.settle();
      return resultFromTaskOutcome(outcome);
    } finally {
      await session.close();
    }
  };
}

async function openV1(revision, options, keys, around) {
  const { provider, fetch } = transportOptions(options, keys, around, revision);
  let transport;
  const make = () => {
    const client = new v1.Client(INFO);
    client.setNotificationHandler(ToolListChangedNotificationSchema, around.onChange);
    transport = new v1http.StreamableHTTPClientTransport(URL_OF_SERVER, { fetch, authProvider: provider });
    return { client, transport };
  };
  const { client } = await connect(make, provider);
  return {
    client,
    raw: rawRequests(URL_OF_SERVER, fetch),
    listTools: (params) => client.listTools(params),
    protocolVersion: () => transport.protocolVersion,
    callTool: (params, given) => client.callTool(params, undefined, given),
    listen: async () => ({ toolsListChanged: true }),
  };
}

export function openClient(way, options, keys, around) {
  return way === "modern" || way === "legacy" ? openV2(way, options, keys, around) : openV1(way, options, keys, around);
}
