"""One connection of outbound calls: at any time it is idle or has exactly one call pending."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from workers.outbound.answer_parser import (
    EMPTY_PAYLOAD,
    HttpVersion11,
    RawResponseMessage,
    StreamReader,
    make_parser,
)
from workers.outbound.socket_state import acknowledged_bytes, is_quiet

MAX_HEAD_BYTES = 65_536
"""Of everything before a body, interim answers included."""
HEAD_PIECE = 4_096
"""Bytes of a head that are parsed before they are counted."""
PIECE_BYTES = 65_536
"""A larger body is written in pieces, so that others have their turn."""
SWITCHING, NO_CONTENT, NOT_MODIFIED = 101, 204, 304
WITHOUT_BODY = frozenset({SWITCHING, NO_CONTENT, NOT_MODIFIED})
"""Final statuses whose answers end with their head."""


class NotSent(OSError):
    """The server had closed a kept connection before a byte of the call reached it."""


class UnaskedData(OSError):
    """The server sent data before it had the call, so they are no answer to it."""


class Disconnected(OSError):
    """The connection ended before the answer did."""


class GarbledAnswer(OSError):
    """The data instead of an answer, or of its body, are not HTTP."""


class BodyCutOff(OSError):
    """The body ended before its announced length."""


class Head(NamedTuple):
    """Head of the final answer, and the reader of its body."""

    message: RawResponseMessage
    body: StreamReader


class OutboundConnection(asyncio.Protocol):
    """A connection to a server.

    Idle, it holds nothing: the first byte that comes closes it. Otherwise that byte would begin
    the answer of whichever call is next. It serves no further call either after an answer that
    says so, leaves a doubt where it ends, or is followed by more.
    """

    __slots__ = (
        *("_acknowledged", "_body", "_head", "_head_bytes_left", "_is_head_call", "_is_in_head"),
        *("_is_paused", "_is_pending", "_is_reusable", "_is_unasked", "_is_unsent", "_is_used"),
        *("_loop", "_on_lost", "_parser", "_socket", "_transport", "_writable", "_writing"),
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_lost: "Callable[[OutboundConnection], None]",
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._head: asyncio.Future[Head] | None = None
        self._body: StreamReader | None = None
        self._writing: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._acknowledged: int | None = None
        """Bytes before this call; None: unknown, or data have come."""
        self._head_bytes_left = 0
        self._is_head_call = False
        self._is_in_head = False
        self._is_paused = False
        self._is_pending = False
        self._is_reusable = True
        self._is_unasked = False
        self._is_unsent = False
        self._is_used = False

    # -- calls ------------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """True when an idle connection may take a call: it is open, and nothing has come."""
        return self._is_open and is_quiet(self._socket)

    def begin(self, head: bytes, body: bytes | None, *, is_head_call: bool) -> asyncio.Future[Head]:
        """Send a request and return the future head of its answer; `finish` must follow.

        The parser, a kilobyte, is made with the first byte of the answer. Raises OSError, then
        nothing was sent.
        """
        transport = self._transport
        if transport is None or not self._is_open:
            raise UnaskedData if self._is_unasked else Disconnected
        self._is_pending = self._is_in_head = True
        self._is_head_call = is_head_call
        self._head_bytes_left = MAX_HEAD_BYTES
        self._acknowledged = acknowledged_bytes(self._socket) if self._is_used else None
        self._is_used = True
        self._head = self._loop.create_future()
        if body is None or len(body) <= PIECE_BYTES:
            transport.write(head + body if body else head)
        else:
            self._writing = self._loop.create_task(self._write_pieces(transport, head, body))
        return self._head

    def finish(self) -> bool:
        """End the call; returns whether the connection may take another one."""
        is_reusable = self._is_reusable and self._is_complete()
        if self._writing is not None:
            self._writing.cancel()
        if self._head is not None and self._head.done() and not self._head.cancelled():
            self._head.exception()  # its caller may have given up in that moment
        self._writing = self._parser = self._head = self._body = None
        self._is_pending = self._is_in_head = False
        return is_reusable

    def close(self) -> None:
        """Close at once: a server that reads nothing could hold up the bytes that are unsent."""
        self._is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def _is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _is_complete(self) -> bool:
        """Return whether request and answer have ended, and nothing has begun after the answer."""
        body = self._body
        if not self._is_open or body is None or not body.is_eof():
            return False
        if body.exception() or (self._writing is not None and not self._writing.done()):
            return False
        try:
            return self._parser.feed_eof() is None  # else it returns the beginning of a head
        except Exception:
            return False

    async def _write_pieces(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        transport.write(head)
        for start in range(0, len(body), PIECE_BYTES):
            await (asyncio.sleep(0) if self._writable is None else self._writable)
            if transport.is_closing():
                return  # the answer, or the end of the connection, tells the rest
            transport.write(body[start : start + PIECE_BYTES])

    # -- the transport's calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the answer."""
        if not self._is_pending:
            self._is_unasked = True
            self.close()
            return
        before, self._acknowledged = self._acknowledged, None
        if before is not None and before == acknowledged_bytes(self._socket):
            self._fail(UnaskedData())
            return
        if self._parser is None:
            self._parser = make_parser(self, self._loop, is_head_call=self._is_head_call)
        while data and self._is_in_head:
            piece, data = data[:HEAD_PIECE], data[HEAD_PIECE:]
            self._parse(piece)
            self._head_bytes_left -= len(piece)
            if self._is_in_head and self._head_bytes_left < 0:
                self._fail(GarbledAnswer())
        if data and self._is_open:
            self._parse(data)

    def eof_received(self) -> None:
        """Note that the server has closed the connection.

        A server acknowledges received data when it closes. A server that has acknowledged nothing
        of the call had closed before, so the call is neither read nor answered (RFC 9112, 9.6). A
        reset proves nothing: it may overtake acknowledgements.
        """
        before = self._acknowledged
        self._is_unsent = before is not None and before == acknowledged_bytes(self._socket)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection, and the call that is pending."""
        self.resume_writing()
        self._transport = None
        self._is_reusable = False
        if self._is_in_head:
            self._end_head(NotSent() if self._is_unsent else Disconnected())
        elif self._body is not None and not self._body.is_eof():
            self._end_body(self._body, exc)
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Stop writing a large body."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Go on writing a large body."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # -- the body's calls -------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """True while more of a body may come."""
        return self._transport is not None

    def pause_reading(self) -> None:
        """Stop reading, since the body's reader is slow."""
        self._is_paused = True
        self._parser.pause_reading()
        if self._transport is not None and self._is_open:
            self._transport.pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, first what the parser held back."""
        body = self._body
        if resume_parser and self._parser is not None and body is not None and not body.is_eof():
            self._is_paused = False
            self._parse(b"")
            if self._is_paused:
                return
        self._is_paused = False
        if self._transport is not None and self._is_open:
            self._transport.resume_reading()

    # -- answers ----------------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        try:
            messages, _, _ = self._parser.feed_data(data)
        except Exception:
            self._fail(GarbledAnswer())
            return
        for message, body in messages:
            self._take_message(message, body)

    def _take_message(self, message: RawResponseMessage, body: StreamReader) -> None:
        code = message.code
        if not self._is_in_head or _closes(message):
            self._is_reusable = False
        if not self._is_in_head or (100 <= code <= 199 and code != SWITCHING):
            return  # more than the answer, or an interim one
        self._is_in_head = False
        if self._is_head_call or code in WITHOUT_BODY:
            body = EMPTY_PAYLOAD
        self._body = body
        if self._head is not None and not self._head.done():
            self._head.set_result(Head(message, body))
        if code == SWITCHING:
            self.close()

    def _fail(self, error: OSError) -> None:
        """End the connection because of what has come; a whole answer is not touched by it."""
        self.close()
        if self._is_in_head:
            self._end_head(error)
        elif self._body is not None and not self._body.is_eof():
            self._body.set_exception(error)
            self._body.feed_eof()  # a reader that just woke up ignores exceptions

    def _end_head(self, error: OSError) -> None:
        self._is_in_head = False
        if self._head is not None and not self._head.done():
            self._head.set_exception(error)

    def _end_body(self, body: StreamReader, exc: Exception | None) -> None:
        if isinstance(exc, OSError):
            body.set_exception(Disconnected())
        else:
            try:
                self._parser.feed_eof()
            except Exception:
                body.set_exception(BodyCutOff())
        if not body.is_eof():
            body.feed_eof()  # a reader that just woke up ignores exceptions


def _closes(message: RawResponseMessage) -> bool:
    """Return whether no further answer may be believed after this one."""
    if message.should_close or message.version < HttpVersion11:
        return True
    if message.code >= 200 and message.code != NO_CONTENT:
        return False
    # These have no body, whatever they announce, and a server that announces one may send it.
    return bool(message.chunked) or message.headers.get("Content-Length", "0") != "0"
