"""The models that ship, each with the answers that its provider's documentation shows."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.builtin import BuiltinSection
from engine.models.dialects.http import HttpSection
from engine.models.dialects.openai import OpenAISection
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import all_models, find_model
from tests.support.http.providers import KEY, Kept, Provider, calling
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.workers.job_workers import poll_quickly
from workers.outbound.client import Egress
from workers.providers.base import ModelCall

PNG = base64.b64encode(b"\x89PNG picture").decode()
PICTURE, CLIP = "https://cdn.example/1.png", "https://cdn.example/1.mp4"
SONGS = ["https://cdn.example/1.mp3", "https://cdn.example/2.mp3"]
CHAT = {
    "choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "output_tokens": 2},
}
TOKENS = Usage(calls=1, input_tokens=9, output_tokens=2)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Documented answers of a provider, and the expected result."""

    answers: Sequence[Any]
    paths: Sequence[str]
    value: Any
    usage: Usage
    body: dict[str, Any]
    """Of the first request, whole."""


def chat(model: str, **more: Any) -> Shown:
    messages = [{"role": "user", "content": "hi"}]
    return Shown(
        answers=[CHAT],
        paths=["POST /chat/completions"],
        value="Hello",
        usage=TOKENS,
        body={"model": model, "messages": messages, **more},
    )


def message(model: str) -> Shown:
    content = [{"type": "text", "text": "hi"}]
    return Shown(
        answers=[MESSAGE],
        paths=["POST /v1/messages"],
        value="Hello",
        usage=TOKENS,
        body={
            "model": model,
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": content}],
        },
    )


SHOWN = {
    "claude-haiku": message("claude-haiku-5-5"),
    "claude-opus": message("claude-opus-5-5"),
    "claude-sonnet": message("claude-sonnet-5-5"),
    "gpt": chat("gpt-6-sol", max_completion_tokens=8192, reasoning_effort="low"),
    "gpt-mini": chat("gpt-6-luna", max_completion_tokens=2048, reasoning_effort="none"),
    "gemini-flash": chat("gemini-3.8-flash", max_tokens=8192),
    "gpt-image": Shown(
        answers=[{"data": [{"b64_json": PNG}], "output_format": "png", "usage": {}}],
        paths=["POST /images/generations"],
        value="https://kept.example/1",
        usage=Usage(calls=1, images=1),
        body={
            "model": "gpt-image-2.5-flare",
            "prompt": "hi",
            "n": 1,
            "size": "1024x1024",
            "quality": "medium",
        },
    ),
    "nano-banana": Shown(
        answers=[
            {
                "candidates": [
                    {
                        "content": {
                            "parts": [
                                {"text": "Here it is"},
                                {"inlineData": {"mimeType": "image/png", "data": PNG}},
                            ]
                        }
                    }
                ]
            }
        ],
        paths=["POST /v1beta/models/gemini-nano-banana-2.1:generateContent"],
        value="https://kept.example/1",
        usage=Usage(calls=1, images=1),
        body={
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
            },
        },
    ),
    "seedream": Shown(
        answers=[{"data": [{"url": PICTURE}], "usage": {"generated_images": 1}}],
        paths=["POST /images/generations"],
        value=PICTURE,
        usage=Usage(calls=1, images=1),
        body={
            "model": "seedream-4-5-251128",
            "prompt": "hi",
            "size": "2K",
            "response_format": "url",
            "watermark": False,
        },
    ),
    "seedance": Shown(
        answers=[
            {"id": "cgt-1"},
            {"id": "cgt-1", "status": "running"},
            {
                "id": "cgt-1",
                "status": "succeeded",
                "content": {"video_url": CLIP},
                "usage": {"completion_tokens": 108_900},
            },
        ],
        paths=[
            "POST /contents/generations/tasks",
            *["GET /contents/generations/tasks/cgt-1"] * 2,
        ],
        value=CLIP,
        usage=Usage(calls=1, output_tokens=108_900),
        body={
            "model": "dreamina-seedance-2-0-mini-260615",
            "content": [{"type": "text", "text": "hi"}],
            "duration": 5,
            "resolution": "720p",
            "ratio": "16:9",
            "watermark": False,
        },
    ),
    "text-embedding": Shown(
        answers=[
            {
                "object": "list",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
                "usage": {"prompt_tokens": 9, "total_tokens": 9},
            }
        ],
        paths=["POST /embeddings"],
        value="[0.5,-0.25]",
        usage=Usage(calls=1, input_tokens=9),
        body={"model": "text-embedding-3-small", "input": "hi", "dimensions": 512},
    ),
    "kling": Shown(
        answers=[
            {"request_id": "r-1", "status": "IN_QUEUE"},
            {"status": "IN_PROGRESS"},
            {"status": "COMPLETED"},
            {"video": {"url": CLIP, "content_type": "video/mp4"}},
        ],
        paths=[
            "POST /fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
            *["GET /fal-ai/kling-video/requests/r-1/status"] * 2,
            "GET /fal-ai/kling-video/requests/r-1",
        ],
        value=CLIP,
        usage=Usage(calls=1, seconds=Decimal(5)),
        body={"prompt": "hi", "duration": "5", "aspect_ratio": "16:9"},
    ),
    "suno": Shown(
        answers=[
            {"code": 200, "msg": "success", "data": {"taskId": "t-1"}},
            {"code": 200, "data": {"taskId": "t-1", "status": "TEXT_SUCCESS"}},
            {
                "code": 200,
                "data": {
                    "taskId": "t-1",
                    "status": "SUCCESS",
                    "response": {"sunoData": [{"audioUrl": url} for url in SONGS]},
                },
            },
        ],
        paths=["POST /api/v1/generate", *["GET /api/v1/generate/record-info?taskId=t-1"] * 2],
        value=SONGS,
        usage=Usage(calls=1),
        body={
            "customMode": False,
            "instrumental": False,
            "model": "V4_5ALL",
            "prompt": "hi",
            "callBackUrl": "https://example.org/headrace",
        },
    ),
}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    poll_quickly(monkeypatch)


def section_of(model: Model) -> OpenAISection | AnthropicSection | HttpSection:
    assert not isinstance(model.call, BuiltinSection)
    return model.call


def environ_of(model: Model, url: str) -> dict[str, str]:
    endpoint = section_of(model).endpoint
    return {endpoint.base_url_env: url, endpoint.api_key_env: KEY}


AT_STUB = {"gpt-transcribe", "whisper-groq", "gpt-speech"}
"""Models whose requests and answers are no JSON: shown against the stub alone."""


def test_every_model_of_a_provider_is_shown_here() -> None:
    others = (each for each in all_models() if not isinstance(each.call, BuiltinSection))
    provided = {each.internal_name for each in others if section_of(each).endpoint.api_key_env}

    assert provided - AT_STUB == SHOWN.keys()


@pytest.mark.parametrize("name", SHOWN)
async def test_a_model_reads_documented_answers(
    name: str, egress: Egress, provider: Provider, kept: Kept
) -> None:
    found, shown = find_model(name), SHOWN[name]
    assert found is not None
    provider.answers = list(shown.answers)
    texts = {field.name: "hi" for field in found.fields if field.required}
    values = {field.name: field.default for field in found.fields if field.default is not None}

    answer = await calling(egress, environ_of(found, provider.url), kept).call(
        found, texts | values, ModelCall(checkpoints=RecordedCheckpoints())
    )

    assert answer.value == shown.value
    assert answer.usage == shown.usage
    assert [f"{each.method} {each.path}" for each in provider.asked] == shown.paths
    assert provider.asked[0].body == shown.body
    assert all(KEY in str(each.headers) for each in provider.asked)
