"""Answers that come as events: put together, and told as they come."""

import io
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.net.server_sent_events import EventTooLarge, ServerSentEvent, ServerSentEventParser
from engine.nodes.support.base import HttpAnswer
from workers.providers.errors import bad_response, of_event
from workers.providers.parsing import parse
from workers.providers.redactor import SecretRedactor

DONE = b"[DONE]"
"""The data by which providers of OpenAI's protocol say that nothing more comes."""
EVENTS = "text/event-stream"


class EventJoiner(Protocol):
    """Puts the events of one protocol together."""

    is_whole: bool
    """Whether the answer has come to its end."""
    is_over: bool
    """Whether nothing more comes that matters."""

    def take(self, event: Mapping[str, Any]) -> str:
        """The text that an event brings, empty for none. Raises NodeFailed."""
        ...

    def reply(self) -> Any:
        """The answer as it would have come whole."""
        ...


class StreamedText:
    """A text that is put together. `add` raises NodeFailed when it grows over the cap."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._text = io.StringIO()
        self.is_there = False

    def add(self, piece: str) -> None:
        """Put a piece, which may be empty, to the end."""
        self.is_there = True
        if self._text.tell() + len(piece) > self._most:
            raise bad_response(f"is larger than {self._most} bytes")
        self._text.write(piece)

    @property
    def value(self) -> str | None:
        """The text, None where nothing was put to it."""
        return self._text.getvalue() if self.is_there else None


class StreamReader:
    """Takes one answer: events as they come, or `body` when the provider does not stream."""

    def __init__(
        self,
        joiner: EventJoiner,
        redactor: SecretRedactor,
        tell: Callable[[str], None],
        explain: Callable[[str, Any], str],
        most: int,
    ) -> None:
        self._joiner = joiner
        self._redactor = redactor
        self._tell = tell
        self._explain = explain
        self._most = most
        self.has_streamed = False
        self.body = b""

    async def take(self, answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
        """Take an answer and its body. Raises NodeFailed."""
        content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not 200 <= answer.status <= 299 or content_type != EVENTS:
            self.body = await _gather(pieces, self._most)
            return
        self.has_streamed = True
        try:
            await self._listen(pieces)
        except EventTooLarge:
            raise bad_response("has an event that is too large") from None
        if not (self._joiner.is_whole or self._joiner.is_over):
            message = "The provider's answer breaks off before its end"
            raise NodeFailed(BAD_RESPONSE, message, retryable=True)
        self._pass_on(self._redactor.rest())

    async def _listen(self, pieces: AsyncIterator[bytes]) -> None:
        events = ServerSentEventParser()
        async for piece in pieces:
            for event in events.feed(piece):
                if event.data.strip() == DONE:
                    self._joiner.is_over = True
                else:
                    self._hear(event)
                if self._joiner.is_over:
                    return

    def _hear(self, event: ServerSentEvent) -> None:
        value = parse(event.data)
        if event.type == "error" or (isinstance(value, dict) and value.get("error")):
            raise of_event(value, self._explain("The provider broke off with an error", value))
        if isinstance(value, dict):
            self._pass_on(self._redactor.take(self._joiner.take(value)))

    def _pass_on(self, text: str) -> None:
        if text:  # an empty one would mean that it begins anew
            self._tell(text)


async def _gather(pieces: AsyncIterator[bytes], most: int) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > most:
            raise bad_response(f"is larger than {most} bytes")
    return bytes(body)
