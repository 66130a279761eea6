"""A provider of chats whose turns follow from the messages: what it says never depends on time."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.models.manifest import Model
from tests.support.http.providers import ENDPOINT, Provider
from tests.support.manifests import PROMPT, model
from tests.support.manifests import field as model_field

PRICING = '[[pricing]]\nunit = "call"\nusd = "0.010"\n'
TURN_PRICE = 13
"""Credits of one turn for a Pro account, whose markup is 1.3."""
Message = Mapping[str, Any]
Call = tuple[str, Mapping[str, Any]]


def thinker(name: str = "thinker", **parts: str) -> Model:
    """Return a model that takes tools, of the provider under the test's control."""
    fields = PROMPT + model_field("system", "textarea") + model_field("jsonSchema", "json")
    section = f'[openai]{ENDPOINT}model = "any"\n'
    return model(name, fields=fields, pricing=PRICING, call=section, **parts)


def says(text: str) -> dict[str, Any]:
    """Return a turn without calls."""
    return {"role": "assistant", "content": text}


def calls(*asked: Call, text: str = "", number: int = 0) -> dict[str, Any]:
    """Return a turn that calls tools; `number` is that of the turn, for the ids."""
    listed = [
        {
            "id": f"call-{number}-{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(given)},
        }
        for place, (name, given) in enumerate(asked)
    ]
    return {"role": "assistant", "content": text, "tool_calls": listed}


def results_in(messages: Sequence[Message]) -> list[str]:
    """Return the texts of the results of tools."""
    return [each["content"] for each in messages if each["role"] == "tool"]


def turns_in(messages: Sequence[Message]) -> int:
    """Return the number of turns so far."""
    return sum(each["role"] == "assistant" for each in messages)


@dataclass(kw_only=True)
class ChatScript(Provider):
    """Answers with the turn that `script` makes of the messages."""

    script: Callable[[Sequence[Message]], dict[str, Any] | None] = lambda messages: says("Done")
    """None: the call fails."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Calls as they arrived."""
    seconds: float = 0.0
    """Time until each answer."""
    failures: int = 0
    """Calls that fail before others succeed."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if self.failures:
            self.failures -= 1
            return web.Response(status=503, text="not yet")
        await asyncio.sleep(self.seconds)
        turn = self.script(body["messages"])
        if turn is None:
            return web.Response(status=503, text="not now")
        usage = {"prompt_tokens": 5, "completion_tokens": 5}
        return web.json_response({"choices": [{"message": turn}], "usage": usage})
