"""Incremental parser of server-sent events, by the rules of the WHATWG's HTML standard."""

from collections.abc import Iterator
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
MAX_EVENT_BYTES = 1_048_576
"""Limit of one line, and of all data lines of one event."""
MESSAGE = "message"


class EventTooLarge(ValueError):
    """A line or an event is larger than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSentEvent:
    """One event: its type, its raw data, and the last event id at that point."""

    type: str
    data: bytes
    id: str = ""


class ServerSentEventParser:
    """Incremental parser of events. It drops an unfinished last event, and ignores `retry`."""

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._line = bytearray()
        self._is_first = True
        self._after_return = False
        self._type = b""
        self._id = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that end within this piece of the body. Raises EventTooLarge."""
        if self._after_return and piece:
            piece = piece.removeprefix(b"\n")
            self._after_return = False
        for part in piece.splitlines(keepends=True):
            self._line += part
            if len(self._line) > self._max_bytes:
                raise EventTooLarge
            self._after_return = part.endswith(b"\r")
            if not part.endswith((b"\r", b"\n")):
                return
            line = bytes(self._line).rstrip(b"\r\n")
            self._line.clear()
            yield from self._take(line)

    def _take(self, line: bytes) -> Iterator[ServerSentEvent]:
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(BOM)
        if line:
            self._take_field(line)
            return
        if self._data:
            event_type = self._type.decode(errors="replace") or MESSAGE
            yield ServerSentEvent(type=event_type, data=b"\n".join(self._data), id=self._id)
        self._type, self._data, self._size = b"", [], 0

    def _take_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")  # a comment has no name
        value = value.removeprefix(b" ")
        if name == b"event":
            self._type = value
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"data":
            self._size += len(value) + 1
            if self._size > self._max_bytes:
                raise EventTooLarge
            self._data.append(value)
