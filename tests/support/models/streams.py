"""Streams of answers as providers send them, and a listener that takes the text."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from tests.support.models import chat_models
from tests.support.models.chat_models import BODY
from workers.providers.base import ModelAnswer, ModelCall
from workers.providers.model_caller import ModelCaller

DONE = "[DONE]"
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(text: Any = None, **more: Any) -> dict[str, Any]:
    """Return a chunk with a text."""
    return {"choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": None}]}


def wire(*values: Any) -> bytes:
    """Return events with these values as JSON; texts and bytes stay as they are."""
    return b"".join(b"data: " + _data(value) + b"\n\n" for value in values)


def stream(*values: Any, content_type: str = "text/event-stream") -> web.Response:
    """Return an answer with these events."""
    return web.Response(body=wire(*values), content_type=content_type)


def _data(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@dataclass
class Listener:
    """Calls models and takes their text."""

    models: ModelCaller
    pieces: list[str] = field(default_factory=list)

    async def call(self, model: Model, **values: Any) -> ModelAnswer:
        """Make one call."""
        model_call = ModelCall(publish_text=self.pieces.append)
        return await self.models.call(model, {"prompt": "Say hello", **values}, model_call)

    @property
    def text(self) -> str:
        """The whole published text."""
        return "".join(self.pieces)


SAID = {"choices": [{"message": {"content": "Hello"}}], "usage": {"prompt_tokens": 11}}
HELLO = (delta(""), delta("Hel"), delta("lo"), STOP)
MESSAGE = (
    {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def chat(more: str = BODY, section: str = "openai", **parts: str) -> Model:
    """Return a model that may be streamed."""
    return chat_models.chat(section, more, **parts)


def claude(more: str = BODY) -> Model:
    """Return a model of Anthropic's protocol."""
    return chat(more, "anthropic")


async def fail(listener: Listener, model: Model) -> NodeFailed:
    """Return the failure of a call."""
    with pytest.raises(NodeFailed) as raised:
        await listener.call(model)
    return raised.value
