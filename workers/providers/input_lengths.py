"""Lengths of the sounds and videos that a call sends, where the price is by them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.media.formats import MediaKind, UnfitMedia
from engine.media.inspector import inspect_whole
from engine.models.manifest import Model
from engine.values.fields import TIMED
from workers.providers.base import CallContext, ModelAnswer

MAX_SENT_BYTES = 20_971_520
"""Largest medium that is sent to a provider."""


async def measure(model: Model, media: Mapping[str, Any], call: CallContext) -> CallContext:
    """Return the call with the length of these media by field, where the price is by it.

    Media at foreign URLs are loaded, and sent as they were measured. Raises NodeFailed if a length
    cannot be read, or if all are longer than the price's limit.
    """
    price = model.input_second_price
    if price is None:
        return call
    names = [each.name for each in model.fields if each.type in TIMED]
    urls = [media[name] for name in names if isinstance(media.get(name), str)]
    loaded: dict[str, bytes] = {}
    seconds = sum([await _measure(url, call, loaded) for url in urls], Decimal(0))
    if seconds > price.at_most:
        message = f"A call takes sounds and videos of {price.at_most} s at most, not {seconds} s"
        raise NodeFailed("invalid_value", message)
    return replace(call, loaded=loaded, measured_seconds=seconds)


def with_length(answer: ModelAnswer, call: CallContext) -> ModelAnswer:
    """Return the answer with the length of what was sent in its usage."""
    seconds = call.input_seconds
    if seconds is None:
        return answer
    return replace(answer, usage=replace(answer.usage, input_seconds=seconds))


async def _measure(url: str, call: CallContext, loaded: dict[str, bytes]) -> Decimal:
    stored = await call.find(url)
    if stored is not None:
        if stored.seconds is None:
            raise _unknown("its file does not tell it")
        return stored.seconds
    data = await call.model_call.fetch_media(url)
    if len(data) > MAX_SENT_BYTES:
        raise NodeFailed("response_too_large", "A sound or video is too large to be sent")
    loaded[url] = data
    return await asyncio.to_thread(_length_of, data)


def _length_of(data: bytes) -> Decimal:
    try:
        facts = inspect_whole(data)
    except UnfitMedia as error:
        raise _unknown(str(error)) from None
    if facts.medium not in (MediaKind.AUDIO, MediaKind.VIDEO) or facts.duration_ms is None:
        raise _unknown("its file does not tell it")
    return Decimal(facts.duration_ms) / 1000


def _unknown(reason: str) -> NodeFailed:
    message = f"The price is by the length of a sound or video, which cannot be read: {reason}"
    return NodeFailed("invalid_value", message)
