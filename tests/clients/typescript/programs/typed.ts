// Compiled, not run: the types say what the API answers.
import { ApiError, type Files, type EndedExecution, type ErrorCode, Headrace, type Transcript, verifyWebhook } from "headrace";

const headrace = new Headrace({ baseUrl: "https://example.org", apiKey: "hr_live_x" });
const { result, cost } = await headrace.run<{ text: string }>("greeting-letter", { name: "Ada" }, { maxCredits: 10, tags: ["a"] });
const text: string = result.text;
const credits: number = cost;
// @ts-expect-error A workflow is named by a text.
await headrace.run(7);
// @ts-expect-error There is no such option.
await headrace.run("greeting-letter", {}, { timeout: 5 });

const asset = await headrace.assets.upload(new Uint8Array(4), { name: "rows.csv" });
const { result: heard } = await headrace.run<Transcript>({ model: "transcriber" }, { audio: asset.id });
const seconds: number = heard.segments.reduce((sum, each) => sum + each.end - each.start, 0);
const links: string[] = (await headrace.run<Files>("reports")).result.files;
// @ts-expect-error A transcript has no links.
heard.files;

for await (const event of headrace.stream({ model: "echo" }, { prompt: "hi" })) {
  if (event.event === "node.token") text.concat(event.data.text);
  if (event.event === "execution.finished") text.concat(event.data.status);
  // @ts-expect-error Only tokens have a text.
  event.data.text;
}

const ended: EndedExecution = await headrace.wait("7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d", { timeoutMs: 1_000 });
const status: "completed" | "failed" | "cancelled" = ended.status;
for await (const item of headrace.batch.items("7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d", { status: "failed" })) item.index.toFixed();
try {
  await verifyWebhook({ secret: "a secret of sixteen", headers: new Headers(), body: "{}" });
} catch (error) {
  if (error instanceof ApiError) error.code satisfies ErrorCode | (string & {}) | null;
}
export { credits, links, seconds, status };
