"""The models that the worker itself answers for, without a network."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from engine.expressions import to_json
from engine.images import READ_SECONDS
from engine.models.calls import Builtin
from engine.models.manifest import Model
from engine.models.sections.builtin import Gives
from engine.nodes.base import NodeFailed
from workers.models.base import Answer, CallContext, Dialect

Embed = Callable[[Sequence[str], float], Awaitable[list[list[float]]]]
"""A vector for each text, within so many seconds. Raises NodeFailed."""


async def embed_nothing(texts: Sequence[str], seconds: float) -> list[list[float]]:
    """Where nothing embeds."""
    raise NodeFailed("not_installed", "Nothing embeds texts here")


class BuiltinDialect(Dialect):
    """Answers with what a template makes of the values, and uses the most it may."""

    call = Builtin

    def __init__(self, embed: Embed = embed_nothing) -> None:
        self._embed = embed

    async def answer(self, model: Model, values: Mapping[str, Any], call: CallContext) -> Answer:
        section = cast(Builtin, model.call)
        await asyncio.sleep(0)  # a long list of calls must not hold up the other executions
        text = section.template.render(values)
        if section.gives is Gives.EMBEDDING:
            [vector] = await self._embed([text], call.bound(READ_SECONDS))
            text = to_json(vector)
        return Answer(value=text, usage=model.most(values))
