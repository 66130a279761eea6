/** Manifests to begin with: right as they are, with addresses to replace. */

import type { Category } from "./facts";

export interface Template {
  id: string;
  name: string;
  about: string;
  category: Category;
  manifest: string;
}

function head(name: string, title: string, category: Category): string {
  return `internalName = "${name}"
name = "${title}"
category = "${category}"
tier = "free"

[[fields]]
name = "prompt"
label = "Prompt"
type = "textarea"
required = true
maxLength = 20000
`;
}

const KEY = `# The variable of the workers that holds the key. A manifest that is saved here may name one only with
# an address that a manifest on disk uses it for; a new provider begins with a file in HEADRACE_MODELS_DIR.
# api_key_env = "EXAMPLE_KEY"`;

const JOB = `
[http.job]
id = "id"
path = "/v1/jobs/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed", "canceled"]
progress = "progress"
cancel_path = "/v1/jobs/{{ job }}/cancel"
`;

function http(path: string, result: string, more = ""): string {
  return `
[http]
base_url = "https://api.example.com"
${KEY}
path = "${path}"
result = "${result}"
error = ["error.message"]

[http.body]
prompt = "{{ prompt }}"
${more}`;
}

function perCall(usd: string): string {
  return `
# What the provider charges; credits are taken after the markup of the account's tier.
[[pricing]]
unit = "call"
usd = "${usd}"
`;
}

const CHAT = `${head("my-chat", "My chat model", "text")}
[[fields]]
name = "system"
label = "System"
type = "textarea"
maxLength = 20000

[[fields]]
name = "maxTokens"
label = "Tokens of the answer, at most"
type = "number"
default = 1000
min = 1
max = 4000
step = 1

[[pricing]]
unit = "input_token"
usd = "0.000001"
atMost = 20000

[[pricing]]
unit = "output_token"
usd = "0.000002"
field = "maxTokens"

[openai]
base_url = "https://api.example.com/v1"
${KEY}
model = "the-name-of-the-model"

[openai.body]
max_tokens = "{{ maxTokens }}"
`;

const TRANSCRIPT = `internalName = "my-transcripts"
name = "My transcripts"
category = "text"
tier = "free"

[[fields]]
name = "audio"
label = "Sound"
type = "audio"
required = true

[[fields]]
name = "language"
label = "Language"
type = "text"
maxLength = 10

# A second of the sound; a longer sound is refused.
[[pricing]]
unit = "input_second"
usd = "0.0001"
atMost = 3600

[openai]
base_url = "https://api.example.com/v1"
${KEY}
model = "the-name-of-the-model"
timeout_seconds = 600

[openai.body]
language = "{{ language }}"
`;

export const TEMPLATES: Template[] = [
  {
    id: "chat",
    name: "Chat by OpenAI's protocol",
    about: "vLLM, Ollama, LM Studio, OpenRouter and most other providers of chats.",
    category: "text",
    manifest: CHAT,
  },
  {
    id: "text",
    name: "Text by HTTP",
    about: "One call whose JSON has the text.",
    category: "text",
    manifest: head("my-text", "My text model", "text") + perCall("0.001") + http("/v1/texts", "text"),
  },
  {
    id: "transcript",
    name: "Transcripts by OpenAI's protocol",
    about: "A sound in, its text and the times of its parts out.",
    category: "text",
    manifest: TRANSCRIPT,
  },
  {
    id: "image",
    name: "Image by HTTP",
    about: "One call whose JSON has addresses of images.",
    category: "image",
    manifest: head("my-image", "My image model", "image") + perCall("0.04") + http("/v1/images", "data[].url"),
  },
  {
    id: "video",
    name: "Video by a job",
    about: "Submitted, asked after until it is done, cancelled with the run.",
    category: "video",
    manifest: head("my-video", "My video model", "video") + perCall("0.50") + http("/v1/jobs", "output.url", JOB),
  },
  {
    id: "audio",
    name: "Audio by a job",
    about: "Music and speech that take a while.",
    category: "audio",
    manifest: head("my-audio", "My audio model", "audio") + perCall("0.10") + http("/v1/jobs", "output[].url", JOB),
  },
];
