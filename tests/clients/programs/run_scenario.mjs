// Takes one scenario as JSON on standard input, does its steps with the TypeScript client, and prints
// what came of them as one line of JSON (see scenarios/README.md).
import { Headrace } from "headrace";

const lab = globalThis.process.env.HEADRACE_LAB;
const ms = (seconds) => (seconds === undefined ? undefined : seconds * 1000);

function client({ timeout, ...options } = {}) {
  return new Headrace({ ...options, requestTimeoutMs: ms(timeout) });
}

function trigger(workflowSlug, { maxCredits, ...members }) {
  return { workflowSlug, ...members, ...(maxCredits !== undefined && { max_credits: maxCredits }) };
}

const VERBS = {
  run: (headrace, { slug, inputs, ...options }) => headrace.run(slug, inputs, options),
  start: (headrace, { slug, inputs, ...options }) => headrace.start(slug, inputs, options),
  wait: (headrace, { executionId, ...options }) => headrace.wait(executionId, options),
  stream: (headrace, { slug, inputs, ...options }) => headrace.stream(slug, inputs, options),
  "batch.start": ({ batch }, { slug, items, ...options }) => batch.start(slug, items, options),
  "batch.get": ({ batch }, { batchId }) => batch.get(batchId),
  "batch.wait": ({ batch }, { batchId, ...options }) => batch.wait(batchId, options),
  "batch.items": ({ batch }, { batchId, ...options }) => batch.items(batchId, options),
  "batch.cancel": ({ batch }, { batchId }) => batch.cancel(batchId),
  "batch.retry": ({ batch }, { batchId }) => batch.retry(batchId),
  "batch.list": ({ batch }, options) => batch.list(options),
  "triggers.createSchedule": ({ triggers }, { slug, ...schedule }) => triggers.createSchedule(trigger(slug, schedule)),
  "triggers.createWebhook": ({ triggers }, { slug, ...hook }) => triggers.createWebhook(trigger(slug, hook)),
  "triggers.get": ({ triggers }, { triggerId }) => triggers.get(triggerId),
  "triggers.list": ({ triggers }, { pageSize, ...filter }) => triggers.list(filter, { pageSize }),
  "triggers.update": ({ triggers }, { triggerId, ...changes }) => triggers.update(triggerId, changes),
  "triggers.delete": ({ triggers }, { triggerId }) => triggers.delete(triggerId),
  "triggers.run": ({ triggers }, { triggerId }) => triggers.run(triggerId),
  "triggers.rotate": ({ triggers }, { triggerId }) => triggers.rotate(triggerId),
  "triggers.test": ({ triggers }, { triggerId, body, headers }) => triggers.test(triggerId, body, { headers }),
  "triggers.occurrences": ({ triggers }, { triggerId, ...options }) => triggers.occurrences(triggerId, options),
  "triggers.occurrence": ({ triggers }, { triggerId, occurrenceId }) => triggers.occurrence(triggerId, occurrenceId),
  "triggers.preview": ({ triggers }, { cron, ...options }) => triggers.preview(cron, options),
  "approvals.list": ({ approvals }, options) => approvals.list(options),
  "approvals.approve": ({ approvals }, { executionId, nodeId, ...options }) => approvals.approve(executionId, nodeId, options),
  "approvals.refuse": ({ approvals }, { executionId, nodeId, ...options }) => approvals.refuse(executionId, nodeId, options),
  "assets.upload": ({ assets }, { file, ...options }) => assets.upload(Uint8Array.from(atob(file), (each) => each.charCodeAt(0)), options),
  "assets.get": ({ assets }, { assetId, ...options }) => assets.get(assetId, options),
  "assets.list": ({ assets }, options) => assets.list(options),
  "assets.delete": ({ assets }, { assetId }) => assets.delete(assetId),
  "executions.get": ({ executions }, { executionId }) => executions.get(executionId),
  "executions.list": ({ executions }, { pageSize, ...filter }) => executions.list(filter, { pageSize }),
  "executions.cancel": ({ executions }, { executionId }) => executions.cancel(executionId),
  "executions.retry": ({ executions }, { executionId }) => executions.retry(executionId),
  verifyWebhook: (_, webhook) => Headrace.verifyWebhook(webhook),
};

/** The value behind `$name.path`; other values as they are, inside lists and objects too. */
function resolve(value, saved) {
  if (typeof value === "string" && value.startsWith("$")) return value.slice(1).split(".").reduce((found, name) => found?.[name], saved);
  if (Array.isArray(value)) return value.map((each) => resolve(each, saved));
  if (value instanceof Object) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, saved)]));
  return value;
}

async function collect(values, most = Infinity) {
  const found = [];
  for await (const each of values) {
    found.push(each);
    if (found.length >= most) break;
  }
  return found;
}

async function outcome(headrace, { call, take }, { timeout, limit, ...args }) {
  const options = { ...args, ...(timeout && { timeoutMs: ms(timeout) }), ...(limit && { pageSize: limit }) };
  try {
    const value = VERBS[call](headrace, options);
    return { value: Symbol.asyncIterator in value ? await collect(value, take) : await value };
  } catch (error) {
    const { message, code = null, status = null, requestId = null, executionId = null, body = null } = error;
    return { error: { class: error.constructor.name, message, code, status, requestId, executionId, body } };
  }
}

async function step(headrace, each, saved) {
  const args = resolve(each.args ?? {}, saved);
  if (each.lab) {
    const answer = await fetch(`${lab}/${each.lab}`, { method: "POST", body: JSON.stringify(args) });
    return { value: await answer.json() };
  }
  if (!each.together) return outcome(headrace, each, args);
  return { value: await Promise.all(Array.from({ length: each.together }, () => outcome(headrace, each, args))) };
}

let text = "";
for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
const scenario = JSON.parse(text);
const headrace = client(scenario.client);
const saved = { lab: scenario.lab };
for (const each of scenario.steps) {
  const found = await step(headrace, each, saved);
  if (each.as) saved[each.as] = found;
}
console.log(JSON.stringify(saved));
