"""Dialect of builtin models, which the worker answers itself without a network."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol, cast

from engine.errors.nodes import NodeFailed
from engine.models.dialects.builtin import BuiltinResult, BuiltinSection
from engine.models.manifest import Model
from engine.nodes.support.image_edits import READ_SECONDS
from engine.values.templates import to_json
from workers.providers.base import CallContext, Dialect, ModelAnswer
from workers.providers.media import load_sound

TRANSCRIBE_SECONDS = 600.0
SPEAK_SECONDS = 60.0
WAV = "audio/wav"

Embed = Callable[[Sequence[str], float, str], Awaitable[list[list[float]]]]
"""Returns a vector for each text within a number of seconds, for an account. Raises NodeFailed."""


async def embed_nothing(texts: Sequence[str], seconds: float, account_id: str) -> list[list[float]]:
    """Raise NodeFailed: no model embeds."""
    raise NodeFailed("not_installed", "Nothing embeds texts here")


class SpeechModels(Protocol):
    """Port to the models that recognise and make speech here."""

    def turn(self, account_id: str) -> AbstractAsyncContextManager[None]:
        """Wait for the account's turn to hold a sound in memory."""
        ...

    async def transcribe(
        self, data: bytes, content_type: str, language: str, seconds: float, account_id: str
    ) -> tuple[dict[str, Any], float]:
        """Return the transcript of a sound and its length, within `seconds`. Raises NodeFailed."""
        ...

    async def speak(self, text: str, seconds: float, account_id: str) -> bytes:
        """Return a text as speech, a WAV, within `seconds`. Raises NodeFailed."""
        ...


class NoSpeech(SpeechModels):
    """No model of speech."""

    def turn(self, account_id: str) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def transcribe(
        self, data: bytes, content_type: str, language: str, seconds: float, account_id: str
    ) -> tuple[dict[str, Any], float]:
        raise NodeFailed("not_installed", "Nothing recognises speech here")

    async def speak(self, text: str, seconds: float, account_id: str) -> bytes:
        raise NodeFailed("not_installed", "Nothing speaks here")


class BuiltinDialect(Dialect):
    """Renders the model's template; its usage is the most that the call may use."""

    call = BuiltinSection

    def __init__(self, embed: Embed = embed_nothing, speech: SpeechModels | None = None) -> None:
        self._embed = embed
        self._speech = speech or NoSpeech()

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        section = cast(BuiltinSection, model.call)
        await asyncio.sleep(0)  # a long list of calls must not hold up the other executions
        text = section.template.render(values)
        answer = ModelAnswer(value=text, usage=model.max_usage(values))
        match section.gives:
            case BuiltinResult.EMBEDDING:
                [vector] = await self._embed([text], call.bound(READ_SECONDS), call.account_id)
                return replace(answer, value=to_json(vector))
            case BuiltinResult.TRANSCRIPT:
                return await self._transcribe(answer, section.language.render(values), call)
            case BuiltinResult.SPEECH:
                return await self._say(answer, call)
        return answer

    async def _transcribe(
        self, answer: ModelAnswer, language: str, call: CallContext
    ) -> ModelAnswer:
        """Return the transcript of the sound at the URL that is the answer's value."""
        async with self._speech.turn(call.account_id):
            data, content_type = await load_sound(answer.value, call)
            transcript, seconds = await self._speech.transcribe(
                data, content_type, language, call.bound(TRANSCRIBE_SECONDS), call.account_id
            )
        usage = replace(answer.usage, input_seconds=_exact(seconds))
        return replace(answer, value=transcript, usage=usage)

    async def _say(self, answer: ModelAnswer, call: CallContext) -> ModelAnswer:
        """Return the link to the spoken value of the answer."""
        await call.media_store.require_space(call.account_id)
        data = await self._speech.speak(answer.value, call.bound(SPEAK_SECONDS), call.account_id)
        stored = await call.keep(data, WAV)
        seconds = answer.usage.seconds if stored.seconds is None else stored.seconds
        return replace(answer, value=stored.url, usage=replace(answer.usage, seconds=seconds))


def _exact(seconds: float) -> Decimal:
    return Decimal(str(round(seconds, 3)))
