"""Dialect of builtin models, which the worker answers itself without a network."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from engine.errors.nodes import NodeFailed
from engine.models.dialects.builtin import BuiltinResult, BuiltinSection
from engine.models.manifest import Model
from engine.nodes.support.image_edits import READ_SECONDS
from engine.values.templates import to_json
from workers.providers.base import CallContext, Dialect, ModelAnswer

Embed = Callable[[Sequence[str], float, str], Awaitable[list[list[float]]]]
"""Returns a vector for each text within a number of seconds, for an account. Raises NodeFailed."""


async def embed_nothing(texts: Sequence[str], seconds: float, account_id: str) -> list[list[float]]:
    """Raise NodeFailed: no model embeds."""
    raise NodeFailed("not_installed", "Nothing embeds texts here")


class BuiltinDialect(Dialect):
    """Renders the model's template; its usage is the most that the call may use."""

    call = BuiltinSection

    def __init__(self, embed: Embed = embed_nothing) -> None:
        self._embed = embed

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        section = cast(BuiltinSection, model.call)
        await asyncio.sleep(0)  # a long list of calls must not hold up the other executions
        text = section.template.render(values)
        if section.gives is BuiltinResult.EMBEDDING:
            [vector] = await self._embed([text], call.bound(READ_SECONDS), call.account_id)
            text = to_json(vector)
        return ModelAnswer(value=text, usage=model.max_usage(values))
