/** The same call for a shell and two languages, ready to paste; the key stays in the environment. */

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
  inputs: unknown;
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
  return { url, origin, name: decodeURIComponent(name), isModel: kind === "models", version: version === null ? null : Number(version), inputs };
}

function curl({ url, inputs }: RunCall): string {
  return `curl -s '${url}' \\
  -H "x-api-key: $HEADRACE_API_KEY" \\
  -H 'content-type: application/json' \\
  -d '${JSON.stringify({ inputs }, null, 2).replaceAll("'", `'\\''`)}'`;
}

function pythonClient({ origin, name, isModel, version, inputs }: RunCall): string {
  const more = version === null ? "" : `, version=${version}`;
  return `from headrace_client import Headrace

# The key comes from $HEADRACE_API_KEY.
with Headrace(base_url="${origin}") as headrace:
    run = headrace.run(${isModel ? `model="${name}", inputs=` : `"${name}", `}${literal(inputs, "    ")}${more})
    print(run.result)`;
}

function typescriptClient({ origin, name, isModel, version, inputs }: RunCall): string {
  const more = version === null ? "" : `, { version: ${version} }`;
  return `import { Headrace } from "headrace";

// The key comes from $HEADRACE_API_KEY.
const headrace = new Headrace({ baseUrl: "${origin}" });
const { result } = await headrace.run(${isModel ? `{ model: "${name}" }` : `"${name}"`}, ${JSON.stringify(inputs, null, 2)}${more});
console.log(result);`;
}

function python({ url, inputs }: RunCall): string {
  return `import json
import os
import urllib.request

# The key comes from $HEADRACE_API_KEY.
request = urllib.request.Request(
    "${url}",
    data=json.dumps(${literal({ inputs }, "    ")}).encode(),
    headers={
        "x-api-key": os.environ["HEADRACE_API_KEY"],
        "content-type": "application/json",
    },
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["result"])`;
}

function typescript({ url, inputs }: RunCall): string {
  return `// The key comes from $HEADRACE_API_KEY.
const answer = await fetch("${url}", {
  method: "POST",
  headers: {
    "x-api-key": process.env.HEADRACE_API_KEY ?? "",
    "content-type": "application/json",
  },
  body: JSON.stringify(${JSON.stringify({ inputs }, null, 2).replaceAll("\n", "\n  ")}),
});
const { result, error } = await answer.json();
console.log(error ?? result);`;
}

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
