"""Expected requests for each model that ships, with every field filled in.

`<png>` stands for the base64 of the image that `OURS` and `FOREIGN` lead to, `<file>` for its
bytes, `<pdf>` for the base64 of the document at `DOCUMENT`.
"""

from dataclasses import dataclass, field
from typing import Any

OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1.png"
SOUND = "https://headrace.example/assets/a2"
"""A sound of the account."""
HEARD = {"audio": SOUND, "video": None, "language": "en", "prompt": "hi"}
DOCUMENT = "https://headrace.example/assets/a3"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
DATA_URL = "data:image/png;base64,<png>"
CHAT = {"prompt": "hi", "system": "Be brief", "image": OURS, "maxTokens": 900, "jsonSchema": SCHEMA}
READING = {**CHAT, "file": DOCUMENT}
FILE = {"filename": "document-1.pdf", "file_data": "data:application/pdf;base64,<pdf>"}
GIVEN = {"image": OURS, "style": FOREIGN, "character": OURS}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Values of a call, the path at the provider's base URL, and the body."""

    values: dict[str, Any]
    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    """Beside those of every call, and the key."""


def chat(model: str, *files: Any, **more: Any) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": DATA_URL}}
    user = [*files, {"type": "text", "text": "hi"}, image]
    schema = {"name": "answer", "schema": SCHEMA, "strict": True}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": user},
        ],
        "response_format": {"type": "json_schema", "json_schema": schema},
        **more,
    }


def message(model: str) -> Recorded:
    source = {"type": "base64", "media_type": "image/png", "data": "<png>"}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "<pdf>"}
    shown = [{"type": "document", "source": pdf}, {"type": "image", "source": source}]
    content = [*shown, {"type": "text", "text": "hi"}]
    return Recorded(
        values=READING,
        path="/v1/messages",
        headers={"anthropic-version": "2023-06-01"},
        body={
            "model": model,
            "max_tokens": 900,
            "system": "Be brief",
            "messages": [{"role": "user", "content": content}],
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        },
    )


def frame(role: str, url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": role}


PART = {"type": "file", "file": FILE}
INLINE = {"inlineData": {"mimeType": "image/png", "data": "<png>"}}
RECORDED = {
    "claude-haiku": message("claude-haiku-5-5"),
    "claude-sonnet": message("claude-sonnet-5-5"),
    "claude-opus": message("claude-opus-5-5"),
    "gpt": Recorded(
        values={**READING, "effort": "high"},
        path="/chat/completions",
        body=chat("gpt-6-sol", PART, max_completion_tokens=900, reasoning_effort="high"),
    ),
    "gpt-mini": Recorded(
        values={**READING, "effort": "low"},
        path="/chat/completions",
        body=chat("gpt-6-luna", PART, max_completion_tokens=900, reasoning_effort="low"),
    ),
    "text-embedding": Recorded(
        values={"text": "hi"},
        path="/embeddings",
        body={"model": "text-embedding-3-small", "input": "hi", "dimensions": 512},
    ),
    "gemini-flash": Recorded(
        values={**CHAT, "temperature": 0.5},
        path="/chat/completions",
        body=chat("gemini-3.8-flash", max_tokens=900, temperature=0.5),
    ),
    "gpt-image": Recorded(
        values={"prompt": "hi", **GIVEN, "mask": OURS, "resolution": "1536x1024", "count": 2},
        path="/images/edits",
        body={
            "model": "gpt-image-2.5-flare",
            "prompt": "hi",
            "n": "2",
            "size": "1536x1024",
            "quality": "medium",
            "image": ["<file>"] * 3,
            "mask": ["<file>"],
        },
    ),
    "nano-banana": Recorded(
        values={"prompt": "hi", **GIVEN, "aspectRatio": "16:9"},
        path="/v1beta/models/gemini-nano-banana-2.1:generateContent",
        body={
            "contents": [{"role": "user", "parts": [{"text": "hi"}, INLINE, INLINE, INLINE]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"},
            },
        },
    ),
    "seedream": Recorded(
        values={"prompt": "hi", **GIVEN, "resolution": "4K"},
        path="/images/generations",
        body={
            "model": "seedream-4-5-251128",
            "prompt": "hi",
            "image": [DATA_URL, FOREIGN, DATA_URL],
            "size": "4K",
            "response_format": "url",
            "watermark": False,
        },
    ),
    "seedance": Recorded(
        values={
            "prompt": "hi",
            "image": OURS,
            "endImage": FOREIGN,
            "duration": 4,
            "resolution": "480p",
            "aspectRatio": "9:16",
        },
        path="/contents/generations/tasks",
        body={
            "model": "dreamina-seedance-2-0-mini-260615",
            "content": [
                {"type": "text", "text": "hi"},
                frame("first_frame", DATA_URL),
                frame("last_frame", FOREIGN),
            ],
            "duration": 4,
            "resolution": "480p",
            "ratio": "9:16",
            "watermark": False,
        },
    ),
    "kling": Recorded(
        values={"prompt": "hi", "duration": 10, "aspectRatio": "1:1"},
        path="/fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
        body={"prompt": "hi", "duration": "10", "aspect_ratio": "1:1"},
    ),
    "gpt-transcribe": Recorded(
        values=HEARD,
        path="/audio/transcriptions",
        body={
            "model": "gpt-transcribe",
            "response_format": "json",
            "prompt": "hi",
            "languages[]": "en",
            "file": ["<sound>"],
        },
    ),
    "whisper-groq": Recorded(
        values=HEARD,
        path="/audio/transcriptions",
        body={
            "model": "whisper-large-v3-turbo",
            "response_format": "verbose_json",
            "prompt": "hi",
            "language": "en",
            "file": ["<sound>"],
        },
    ),
    "gpt-speech": Recorded(
        values={
            "text": "hi",
            "voice": "ash",
            "instructions": "Calmly",
            "speed": 2,
            "format": "wav",
        },
        path="/audio/speech",
        body={
            "model": "gpt-4o-mini-tts",
            "input": "hi",
            "voice": "ash",
            "instructions": "Calmly",
            "speed": 2,
            "response_format": "wav",
        },
    ),
    "suno": Recorded(
        values={"prompt": "hi", "instrumental": True},
        path="/api/v1/generate",
        body={
            "customMode": False,
            "instrumental": True,
            "model": "V4_5ALL",
            "prompt": "hi",
            "callBackUrl": "https://example.org/headrace",
        },
    ),
}
