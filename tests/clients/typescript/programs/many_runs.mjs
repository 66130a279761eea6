// Begins many runs at once; prints the executions, and the answers by status.
import { Headrace } from "headrace";

const [baseUrl, apiKey, slug, count] = process.argv.slice(2);
const statuses = {};
const counting = async (...request) => {
  const answer = await fetch(...request);
  statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
  return answer;
};
const headrace = new Headrace({ baseUrl, apiKey, fetch: counting });
const runs = await Promise.all(Array.from({ length: Number(count) }, () => headrace.run(slug, { name: "Ada" })));
console.log(JSON.stringify({ executions: runs.map(({ executionId }) => executionId), statuses }));
