/** The same call for a shell and two languages, ready to paste; the key stays in the environment. */

export const LANGUAGES = ["curl", "Python", "JavaScript"] as const;
export type Language = (typeof LANGUAGES)[number];

export function snippet(language: Language, url: string, inputs: unknown): string {
  const body = JSON.stringify({ inputs }, null, 2);
  if (language === "curl") return curl(url, body);
  return language === "Python" ? python(url, { inputs }) : javascript(url, body);
}

function curl(url: string, body: string): string {
  return `curl -s '${url}' \\
  -H "x-api-key: $HEADRACE_API_KEY" \\
  -H 'content-type: application/json' \\
  -d '${body.replaceAll("'", `'\\''`)}'`;
}

function python(url: string, body: unknown): string {
  return `import json
import os
import urllib.request

# The key comes from $HEADRACE_API_KEY.
request = urllib.request.Request(
    "${url}",
    data=json.dumps(${literal(body, "    ")}).encode(),
    headers={
        "x-api-key": os.environ["HEADRACE_API_KEY"],
        "content-type": "application/json",
    },
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["result"])`;
}

function javascript(url: string, body: string): string {
  return `// The key comes from $HEADRACE_API_KEY.
const answer = await fetch("${url}", {
  method: "POST",
  headers: {
    "x-api-key": process.env.HEADRACE_API_KEY,
    "content-type": "application/json",
  },
  body: JSON.stringify(${body.replaceAll("\n", "\n  ")}),
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
