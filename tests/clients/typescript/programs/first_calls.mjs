// All that a first program does; prints what it saw as JSON, or exports it for pages.
import { ApiError, Headrace } from "headrace";

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return { name: error.name, code: error.code, isApiError: error instanceof ApiError, requestId: error.requestId };
  }
};

export async function firstCalls(baseUrl, apiKey) {
  const headrace = new Headrace({ baseUrl, apiKey });
  const seen = {};
  seen.user = (await headrace.whoami()).user.email;
  seen.run = await headrace.run("greeting-letter", { name: "Ada" }, { tags: ["first"] });
  const accepted = await headrace.start("greeting-letter", { name: "Eve" });
  seen.ended = await headrace.wait(accepted.executionId);
  seen.events = [];
  for await (const { event } of headrace.stream("greeting-letter", { name: "Bob" })) seen.events.push(event);
  seen.again = [];
  for await (const { event } of headrace.executions.stream(seen.run.executionId)) seen.again.push(event);
  seen.unknown = await failure(() => headrace.run("no-such-workflow"));
  seen.over = await failure(() => headrace.executions.cancel(accepted.executionId));
  seen.foreign = await failure(() => new Headrace({ baseUrl, apiKey: "hr_live_no" }).whoami());
  seen.aborted = await failure(() => headrace.run("greeting-letter", {}, { signal: AbortSignal.abort() }));
  seen.listed = [];
  for await (const row of headrace.executions.list({ workflowSlug: "greeting-letter" }, { pageSize: 2 })) seen.listed.push(row.executionId);
  return seen;
}

if (globalThis.process?.argv) console.log(JSON.stringify(await firstCalls(...process.argv.slice(2))));
