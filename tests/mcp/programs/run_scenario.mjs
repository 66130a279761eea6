// Takes one scenario as JSON on standard input, does its steps with an official TypeScript client, and
// prints what came of them as one line of JSON (see scenarios/README.md). The argument names the way:
// `modern` and `legacy` by @modelcontextprotocol/client, a revision such as `2025-06-18` by
// @modelcontextprotocol/sdk.
import { openClient } from "./clients.mjs";
import { beginTask, sendTask, settleTask } from "./tasks.mjs";

const way = process.argv[2];
const lab = process.env.MCP_LAB;
const JOIN_MS = 90_000;
const CHANGE_SECONDS = 20;

async function askLab(verb, members) {
  const answer = await fetch(`${lab}/${verb}`, { method: "POST", body: JSON.stringify(members), headers: { "content-type": "application/json" } });
  if (!answer.ok) throw new Error(`${verb}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The value behind `$name.path`; other values as they are, inside lists and objects too. */
function resolve(value, saved) {
  if (typeof value === "string" && value.startsWith("$")) return value.slice(1).split(".").reduce((found, name) => found?.[name], saved) ?? null;
  if (Array.isArray(value)) return value.map((each) => resolve(each, saved));
  if (value instanceof Object) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, saved)]));
  return value;
}

class Scenario {
  constructor({ client = {}, lab: variables }) {
    this.options = client;
    this.saved = { lab: variables };
    this.running = new Map();
    this.changed = [];
    this.listeners = [];
    this.tokens = {};
    this.seen = { status: null };
  }

  async opened() {
    this.open ??= await openClient(way, this.options, this.saved.lab.keys, {
      tokens: this.tokens,
      seen: this.seen,
      consent: (url, grant) => askLab("consent", { url, grant }),
      onChange: () => {
        this.changed.push(true);
        this.listeners.splice(0).forEach((tell) => tell());
      },
    });
    return this.open;
  }

  async close() {
    await this.open?.client.close();
    this.open = undefined;
  }

  async connect() {
    const { client, protocolVersion } = await this.opened();
    return { protocolVersion: protocolVersion(), server: client.getServerVersion()?.name, capabilities: client.getServerCapabilities() };
  }

  async reconnect() {
    await this.close();
    return this.connect();
  }

  async listTools({ cursor } = {}) {
    return (await this.opened()).listTools(cursor ? { cursor } : {});
  }

  async allTools() {
    const tools = [];
    let cursor;
    do {
      const page = await this.listTools({ cursor });
      tools.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor);
    return tools;
  }

  async callTool({ name, arguments: given = {}, progress }, signal) {
    const { callTool } = await this.opened();
    const told = [];
    const onprogress = progress && ((each) => told.push({ progress: each.progress, total: each.total ?? null, message: each.message ?? null }));
    const result = await callTool({ name, arguments: given }, { signal, timeout: JOIN_MS, ...(onprogress && { onprogress }) });
    return { ...result, ...(progress && { told }) };
  }

  async beginTask(args) {
    return beginTask((await this.opened()).raw, args);
  }

  async getTask({ taskId }) {
    return sendTask((await this.opened()).raw, "get", taskId);
  }

  async cancelTask({ taskId }) {
    return sendTask((await this.opened()).raw, "cancel", taskId);
  }

  async settleTask({ taskId }) {
    return settleTask((await this.opened()).raw, taskId);
  }

  async listen() {
    return { honored: await (await this.opened()).listen() };
  }

  async changes({ seconds = CHANGE_SECONDS } = {}) {
    if (this.changed.length === 0) {
      await new Promise((tell) => {
        this.listeners.push(tell);
        setTimeout(tell, seconds * 1000).unref();
      });
    }
    return { changed: this.changed.shift() ?? false };
  }

  async cancel({ of }) {
    this.running.get(of).stop.abort();
    return {};
  }

  async outcome(step, args, signal) {
    this.seen.status = null;
    try {
      return { value: await this[step.call](args, signal) };
    } catch (error) {
      return { error: { ...described(error, signal), status: this.seen.status } };
    }
  }

  async step(step) {
    const args = resolve(step.args ?? {}, this.saved);
    if (step.later) {
      await this.opened();
      const stop = new AbortController();
      this.running.set(step.as, { stop, outcome: this.outcome(step, args, stop.signal) });
      return;
    }
    const found = await (step.lab ? askLab(step.lab, args).then((value) => ({ value }), (error) => ({ error: { kind: "lab", message: error.message } })) : step.call === "join" ? this.running.get(args.of).outcome : this.outcome(step, args));
    if (step.as) this.saved[step.as] = found;
  }
}

function described(error, signal) {
  if (signal?.aborted) return { kind: "cancelled" };
  if (typeof error.code === "number") return { kind: "rpc", code: error.code, message: error.message, data: error.data };
  return { kind: "other", class: error.constructor.name, message: String(error.message) };
}

let text = "";
for await (const piece of process.stdin) text += piece;
const members = JSON.parse(text);
const scenario = new Scenario(members);
for (const step of members.steps) await scenario.step(step);
await new Promise((written) => process.stdout.write(`${JSON.stringify(scenario.saved)}\n`, written));
await scenario.close().catch(() => {});
process.exit(0);
