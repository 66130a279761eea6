"""Calls the stub provider with the packages of OpenAI and Anthropic; prints the answers."""

import json
import sys

import anthropic
import openai

(URL,) = sys.argv[1:]
ASK = [{"role": "user", "content": "Hello"}]

chat = openai.OpenAI(base_url=f"{URL}/v1", api_key="any")
whole = chat.chat.completions.create(model="any", messages=ASK)
pieces = chat.chat.completions.create(model="any", messages=ASK, stream=True)
vectors = chat.embeddings.create(model="any", input=["a", "b"])
picture = chat.images.generate(model="any", prompt="a cat", response_format="b64_json")

claude = anthropic.Anthropic(base_url=URL, api_key="any")
message = claude.messages.create(model="any", max_tokens=100, messages=ASK)
with claude.messages.stream(model="any", max_tokens=100, messages=ASK) as stream:
    streamed = "".join(stream.text_stream)

print(
    json.dumps(
        {
            "openai": whole.choices[0].message.content,
            "openai stream": "".join(
                each.choices[0].delta.content or "" for each in pieces if each.choices
            ),
            "vectors": len(vectors.data),
            "picture": len(picture.data[0].b64_json) > 100,
            "anthropic": message.content[0].text,
            "anthropic stream": streamed,
        }
    )
)
