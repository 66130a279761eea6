"""Server-sent events, parsed from bytes as they come."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event with the id that resumes a stream after it."""

    id: str
    name: str
    data: str


class EventParser:
    """Parser of one stream; lines end with CR, LF or both, and may be cut anywhere."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line = ""
        self._skips_lf = False
        self._data: list[str] = []
        self._name = ""
        self._id = ""
        self.retry_seconds: float | None = None
        """Pause before a new connection that the server has asked for."""

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """Parse the next bytes; yield the events that they complete."""
        text = self._decoder.decode(data)
        if self._skips_lf and text:
            text = text.removeprefix("\n")
            self._skips_lf = False
        if not text:
            return
        self._skips_lf = text.endswith("\r")
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            whole, self._line = self._line + line, ""
            event = self._read_line(whole)
            if event is not None:
                yield event
        self._line += rest

    def _read_line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._end_event()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value) / 1000
        return None

    def _end_event(self) -> ServerSentEvent | None:
        data, name = self._data, self._name
        self._data, self._name = [], ""
        if not data:
            return None
        return ServerSentEvent(self._id, name or "message", "\n".join(data))
