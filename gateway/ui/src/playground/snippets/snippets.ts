/** The same call for a shell and two languages, ready to paste; the key stays in the environment. */

import { marked, type NamedUpload, withVariables } from "./uploads";

export const LANGUAGES = ["curl", "Python", "TypeScript"] as const;
export type Language = (typeof LANGUAGES)[number];
/** With the client of Headrace, or with what the language has, so that nothing is installed. */
export const WAYS = ["client", "http"] as const;
export type Way = (typeof WAYS)[number];

/** A call of one of the run routes, by its parts. */
interface RunCall {
  url: string;
  origin: string;
  name: string;
  isModel: boolean;
  version: number | null;
  /** With a mark in the place of each file that is uploaded first. */
  inputs: unknown;
  uploads: NamedUpload[];
}

export function snippet(language: Language, way: Way, url: string, inputs: unknown): string {
  const call = parse(url, inputs);
  if (language === "curl") return curl(call);
  if (language === "Python") return way === "client" ? pythonClient(call) : python(call);
  return way === "client" ? typescriptClient(call) : typescript(call);
}

function parse(url: string, inputs: unknown): RunCall {
  const { origin, pathname, searchParams } = new URL(url);
  const [, , kind, name = ""] = pathname.split("/");
  const version = searchParams.get("version");
  return { url, origin, name: decodeURIComponent(name), isModel: kind === "models", version: version === null ? null : Number(version), ...marked(inputs) };
}

function curl({ url, origin, inputs, uploads }: RunCall): string {
  const first = uploads.map(
    ({ variable, file: { path, contentType } }) => `# Upload the file: its asset's id is the input.
${variable}=$(curl -s '${origin}/api/assets' \\
  -H "x-api-key: $HEADRACE_API_KEY" \\
  -F 'file=@${path};type=${contentType}' | sed -n 's/.*"id": *"\\([^"]*\\)".*/\\1/p')

`,
  );
  const body = JSON.stringify({ inputs }, null, 2).replaceAll("'", `'\\''`);
  return `${first.join("")}curl -s '${url}' \\
  -H "x-api-key: $HEADRACE_API_KEY" \\
  -H 'content-type: application/json' \\
  -d '${withVariables(body, uploads, ({ variable }) => `"'"$${variable}"'"`)}'`;
}

function pythonClient({ origin, name, isModel, version, inputs, uploads }: RunCall): string {
  const more = version === null ? "" : `, version=${version}`;
  const given = withVariables(literal(inputs, "    "), uploads, ({ variable }) => variable);
  const first = uploads.map(({ variable, file }) => `    ${variable} = headrace.assets.upload("${file.path}").id\n`);
  return `from headrace_client import Headrace

# The key comes from $HEADRACE_API_KEY.
with Headrace(base_url="${origin}") as headrace:
${first.join("")}    run = headrace.run(${isModel ? `model="${name}", inputs=` : `"${name}", `}${given}${more})
    print(run.result)`;
}

function typescriptClient({ origin, name, isModel, version, inputs, uploads }: RunCall): string {
  const more = version === null ? "" : `, { version: ${version} }`;
  const given = withVariables(JSON.stringify(inputs, null, 2), uploads, ({ variable }) => variable);
  const first = uploads.map(
    ({ variable, file }) => `const { id: ${variable} } = await headrace.assets.upload(await readFile("${file.path}"), { name: "${file.path}" });\n`,
  );
  return `${uploads.length > 0 ? READS_FILES : ""}import { Headrace } from "headrace";

// The key comes from $HEADRACE_API_KEY.
const headrace = new Headrace({ baseUrl: "${origin}" });
${first.join("")}const { result } = await headrace.run(${isModel ? `{ model: "${name}" }` : `"${name}"`}, ${given}${more});
console.log(result);`;
}

function python({ url, origin, inputs, uploads }: RunCall): string {
  const given = withVariables(literal({ inputs }, "    "), uploads, ({ variable }) => variable);
  const first = uploads.map(
    ({ variable, file: { path, contentType } }) => `upload = urllib.request.Request(
    "${origin}/api/assets",
    data=open("${path}", "rb").read(),
    headers={"x-api-key": os.environ["HEADRACE_API_KEY"], "content-type": "${contentType}"},
)
with urllib.request.urlopen(upload) as answer:
    ${variable} = json.load(answer)["id"]

`,
  );
  return `import json
import os
import urllib.request

${first.join("")}# The key comes from $HEADRACE_API_KEY.
request = urllib.request.Request(
    "${url}",
    data=json.dumps(${given}).encode(),
    headers={
        "x-api-key": os.environ["HEADRACE_API_KEY"],
        "content-type": "application/json",
    },
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["result"])`;
}

function typescript({ url, origin, inputs, uploads }: RunCall): string {
  const given = withVariables(JSON.stringify({ inputs }, null, 2).replaceAll("\n", "\n  "), uploads, ({ variable }) => variable);
  const first = uploads.map(
    ({ variable, file: { path, contentType } }) => `const ${variable}_upload = await fetch("${origin}/api/assets", {
  method: "POST",
  headers: { "x-api-key": process.env.HEADRACE_API_KEY ?? "", "content-type": "${contentType}" },
  body: await readFile("${path}"),
});
const { id: ${variable} } = await ${variable}_upload.json();
`,
  );
  return `${uploads.length > 0 ? READS_FILES : ""}// The key comes from $HEADRACE_API_KEY.
${first.join("")}const answer = await fetch("${url}", {
  method: "POST",
  headers: {
    "x-api-key": process.env.HEADRACE_API_KEY ?? "",
    "content-type": "application/json",
  },
  body: JSON.stringify(${given}),
});
const { result, error } = await answer.json();
console.log(error ?? result);`;
}

const READS_FILES = 'import { readFile } from "node:fs/promises";\n';

/** A JSON value as Python writes it. */
function literal(value: unknown, indent: string): string {
  const inner = `${indent}    `;
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const parts = Array.isArray(value)
    ? value.map((each) => literal(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return parts.length ? `${open}\n${inner}${parts.join(`,\n${inner}`)},\n${indent}${close}` : `${open}${close}`;
}
