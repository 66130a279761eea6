"""Streams of answers as providers send them, and somebody who takes the text as it comes."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.models.manifest import Model
from workers.models import Answer, Errand, Models

DONE = "[DONE]"
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(text: Any = None, **more: Any) -> dict[str, Any]:
    """A chunk with a text."""
    return {"choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": None}]}


def wire(*values: Any) -> bytes:
    """Events with these values as JSON; texts and bytes go as they are."""
    return b"".join(b"data: " + _data(value) + b"\n\n" for value in values)


def stream(*values: Any, content_type: str = "text/event-stream") -> web.Response:
    """An answer with these events."""
    return web.Response(body=wire(*values), content_type=content_type)


def _data(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@dataclass
class Listener:
    """Calls models and takes their text."""

    models: Models
    told: list[str] = field(default_factory=list)

    async def call(self, model: Model, **values: Any) -> Answer:
        """One call."""
        errand = Errand(tell_text=self.told.append)
        return await self.models.call(model, {"prompt": "Say hello", **values}, errand)

    @property
    def text(self) -> str:
        """All that was told."""
        return "".join(self.told)
