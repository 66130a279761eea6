"""Lengths of the sounds and videos that a call sends, where the price is by them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.media.formats import MediaKind, UnfitMedia
from engine.media.inspector import inspect_whole
from engine.models.input_lengths import TOO_LONG, UNKNOWN
from engine.models.manifest import Model
from engine.values.fields import TIMED
from workers.providers.base import CallContext, ModelAnswer

MAX_SENT_BYTES = 20_971_520
"""Largest medium that is sent to a provider."""
ROUNDING_SECONDS = 1
"""By so much may the length that a provider tells be longer: some round it up."""


async def measure(model: Model, media: Mapping[str, Any], call: CallContext) -> CallContext:
    """Return the call with the length of these media by field, where the price is by it.

    Media at foreign URLs are loaded, and sent as they were measured. Raises NodeFailed if a length
    cannot be read, or if all are longer than the price's limit.
    """
    price = model.input_second_price
    if price is None:
        return call
    loaded: dict[str, bytes] = {}
    seconds = Decimal(0)
    for name in (each.name for each in model.fields if each.type in TIMED):
        if isinstance(media.get(name), str):
            seconds += await _measure(name, media[name], call, loaded)
        if seconds > price.at_most:
            raise _refusal(name, TOO_LONG.format(price.at_most, seconds))
    return replace(call, loaded=loaded, measured_seconds=seconds)


def with_length(answer: ModelAnswer, call: CallContext) -> ModelAnswer:
    """Return the answer with the length of what was sent in its usage.

    A file may tell less of itself than is in it, and the provider is paid for what it heard.
    """
    seconds, heard = call.input_seconds, answer.heard_seconds
    if seconds is None:
        return answer
    if heard is not None and heard > seconds + ROUNDING_SECONDS:
        seconds = heard
    return replace(answer, usage=replace(answer.usage, input_seconds=seconds))


async def _measure(name: str, url: str, call: CallContext, loaded: dict[str, bytes]) -> Decimal:
    stored = await call.find(url)
    if stored is not None:
        if not stored.seconds:
            raise _refusal(name, UNKNOWN)
        return stored.seconds
    data = await call.model_call.fetch_media(url)
    if len(data) > MAX_SENT_BYTES:
        raise NodeFailed("response_too_large", "A sound or video is too large to be sent")
    loaded[url] = data
    try:
        seconds = await asyncio.to_thread(_length_of, data)
    except UnfitMedia as error:
        raise _refusal(name, f"{UNKNOWN}: {error}") from None
    if seconds is None:
        raise _refusal(name, UNKNOWN)
    return seconds


def _length_of(data: bytes) -> Decimal | None:
    """Return the length of a sound or a video, None for other files. Raises UnfitMedia."""
    facts = inspect_whole(data)
    is_timed = facts.medium in (MediaKind.AUDIO, MediaKind.VIDEO)
    return Decimal(facts.duration_ms) / 1000 if is_timed and facts.duration_ms else None


def _refusal(name: str, reason: str) -> NodeFailed:
    return NodeFailed("invalid_value", f"'{name}' {reason}")
