// Calls the API with types that were generated from its description.
import createClient from "openapi-fetch";
import type { paths } from "./api.d.ts";
import type { paths as WorkflowPaths } from "./workflow.d.ts";

const [baseUrl, key] = process.argv.slice(2);
const settings = { baseUrl, headers: { "x-api-key": key } };
const api = createClient<paths>(settings);
const letter = createClient<WorkflowPaths>(settings);

const { data: answer } = await api.POST("/api/workflows/{slug}/run", {
  params: { path: { slug: "greeting-letter" } },
  body: { inputs: { name: "Ada" } },
});
const { data: typed } = await letter.POST("/api/workflows/greeting-letter/run", {
  body: { inputs: { name: "Ada" } },
});
const { data: workflows } = await api.GET("/api/workflows");
const { error } = await api.GET("/api/executions/{execution_id}", {
  params: { path: { execution_id: "00000000-0000-4000-8000-000000000000" } },
});

console.log(
  JSON.stringify({
    answer: answer && "result" in answer ? answer.result : null,
    typed: typed && "result" in typed ? typed.result : null,
    slugs: Array.isArray(workflows) ? workflows.map((each) => each.slug) : null,
    code: error && "code" in error ? error.code : null,
  }),
);
