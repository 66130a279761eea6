"""Answers as streams of events: joined, and their text published as it comes."""

import io
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.net.server_sent_events import EventTooLarge, ServerSentEvent, ServerSentEventParser
from engine.nodes.support.base import HttpAnswer
from workers.providers.answers.errors import bad_response, failure_of_event
from workers.providers.answers.parsing import parse
from workers.providers.answers.redactor import SecretRedactor

DONE = b"[DONE]"
"""Data of the last event in OpenAI's protocol."""
EVENTS = "text/event-stream"


class EventJoiner(Protocol):
    """Joins the events of one protocol."""

    is_complete: bool
    """True when the answer has come to its end."""
    is_over: bool
    """True when no further event matters."""

    def join_event(self, event: Mapping[str, Any]) -> str:
        """Take an event and return its text, empty for none. Raises NodeFailed."""
        ...

    def reply(self) -> Any:
        """Return the answer in the form that it has without streaming."""
        ...


class StreamedText:
    """A text that grows by pieces. `add` raises NodeFailed above the maximum."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._text = io.StringIO()
        self.has_text = False

    def add(self, piece: str) -> None:
        """Append a piece, which may be empty."""
        self.has_text = True
        if self._text.tell() + len(piece) > self._max_bytes:
            raise bad_response(f"is larger than {self._max_bytes} bytes")
        self._text.write(piece)

    @property
    def value(self) -> str | None:
        """The text, None when nothing was added."""
        return self._text.getvalue() if self.has_text else None


class StreamReader:
    """Reads one answer: events as they come, or `body` when the provider does not stream."""

    def __init__(
        self,
        joiner: EventJoiner,
        redactor: SecretRedactor,
        publish: Callable[[str], None],
        explain: Callable[[str, Any], str],
        max_bytes: int,
    ) -> None:
        self._joiner = joiner
        self._redactor = redactor
        self._publish = publish
        self._explain = explain
        self._max_bytes = max_bytes
        self.has_streamed = False
        self.body = b""

    async def read_answer(self, answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
        """Read an answer and its body. Raises NodeFailed."""
        content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not 200 <= answer.status <= 299 or content_type != EVENTS:
            self.body = await _read_body(pieces, self._max_bytes)
            return
        self.has_streamed = True
        try:
            await self._read_events(pieces)
        except EventTooLarge:
            raise bad_response("has an event that is too large") from None
        if not (self._joiner.is_complete or self._joiner.is_over):
            message = "The provider's answer breaks off before its end"
            raise NodeFailed(BAD_RESPONSE, message, retryable=True)
        self._emit(self._redactor.flush())

    async def _read_events(self, pieces: AsyncIterator[bytes]) -> None:
        events = ServerSentEventParser()
        async for piece in pieces:
            for event in events.feed(piece):
                if event.data.strip() == DONE:
                    self._joiner.is_over = True
                else:
                    self._handle(event)
                if self._joiner.is_over:
                    return

    def _handle(self, event: ServerSentEvent) -> None:
        value = parse(event.data)
        if event.type == "error" or (isinstance(value, dict) and value.get("error")):
            raise failure_of_event(
                value, self._explain("The provider broke off with an error", value)
            )
        if isinstance(value, dict):
            self._emit(self._redactor.redact_piece(self._joiner.join_event(value)))

    def _emit(self, text: str) -> None:
        if text:  # an empty piece would restart the text
            self._publish(text)


async def _read_body(pieces: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > max_bytes:
            raise bad_response(f"is larger than {max_bytes} bytes")
    return bytes(body)
