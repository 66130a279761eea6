// All that a first program does; prints what it saw as JSON.
import { ApiError, Headrace } from "headrace";

const [url, key] = process.argv.slice(2);
const headrace = new Headrace({ baseUrl: url, apiKey: key });
const seen = {};
const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return { name: error.name, code: error.code, isApiError: error instanceof ApiError, executionId: error.executionId };
  }
};

seen.user = (await headrace.whoami()).user.email;
seen.run = await headrace.run("greeting-letter", { name: "Ada" }, { tags: ["first"] });
const accepted = await headrace.start("greeting-letter", { name: "Eve" });
seen.ended = await headrace.wait(accepted.executionId);
seen.events = [];
for await (const { event } of headrace.stream("greeting-letter", { name: "Bob" })) seen.events.push(event);
seen.again = [];
for await (const { event } of headrace.executions.events(seen.run.executionId)) seen.again.push(event);
seen.unknown = await failure(() => headrace.run("no-such-workflow"));
seen.over = await failure(() => headrace.executions.cancel(accepted.executionId));
seen.foreign = await failure(() => new Headrace({ baseUrl: url, apiKey: "hr_live_no" }).whoami());
seen.aborted = await failure(() => headrace.run("greeting-letter", {}, { signal: AbortSignal.abort() }));
seen.listed = [];
for await (const row of headrace.executions.list({ workflowSlug: "greeting-letter" }, { pageSize: 2 })) seen.listed.push(row.executionId);
console.log(JSON.stringify(seen));
