"""HTTP protocol of one connection: uvicorn's, with limits and refusals that it lacks.

A refused connection is finished: the refusal is the last thing written, after the answers to
earlier requests, and nothing that follows on the connection is read as a request.
"""

import asyncio
import re
from collections import deque
from http import HTTPStatus
from typing import Any, NoReturn, cast

import httptools

from gateway.admission.connections import RETRY_SECONDS, Connections
from gateway.admission.departure import Departure
from gateway.http.answer_writer import AnswerWriter
from gateway.http.errors import error_body, new_request_id
from gateway.http.light_flow import LightFlow
from gateway.http.middleware import COMPLETE
from gateway.http.uvicorn_internals import ASGI, Config, ServerState, SlottedProtocol

MAX_HEAD_BYTES = 32_768
MAX_HEADERS = 100
HEAD_SECONDS = 10.0
"""From the first moment a request can be expected until its head is complete."""
REST_SECONDS = 5.0
"""Longest time that the unread rest of an answered request keeps its connection."""
FIRST_SECONDS = 0.5
"""Time for the first request of a connection to come, once the process stops."""
LINGER_SECONDS = 1.0
"""Time for which a refused peer may go on sending, so that it can read the refusal."""
UNREAD_SECONDS = 30.0
"""Longest time without progress in sending an answer."""
PIECE_BYTES = 16_384
"""Bytes given to the parser at once; the limits are checked between pieces."""
BODY_WEIGHT = 8
"""Bytes on the wire that one byte of a body may cost; a chunk of one byte costs six."""

NOTHING_QUEUED: Any = ()
NO_PARSER: Any = None
UPGRADING = frozenset({b"connection", b"upgrade", b"http2-settings"})
TARGET = re.compile(rb"/|https?://", re.IGNORECASE)
HOST = re.compile(rb"[^\s/?#@\\]*")
CODES = {
    400: "INVALID_REQUEST",
    408: "REQUEST_TIMEOUT",
    429: "RATE_LIMIT_EXCEEDED",
    431: "HEADERS_TOO_LARGE",
    501: "NOT_IMPLEMENTED",
}


class RequestRefused(Exception):
    """Stops the parser from within a callback; the connection keeps the reason."""


class GatewayProtocol(SlottedProtocol):
    """One connection; see the module for its additions to uvicorn's protocol.

    Thousands may wait for their runs, so all attributes have slots.
    """

    __slots__ = (
        *("_answers", "_begun", "_body_bytes", "_ended", "_heads", "_in_head", "_is_upgrade"),
        *("_messages", "_pending_refusal", "_reason", "_timer", "_unread_timer", "_wire_bytes"),
        *("_connections", "_departure", "_peer"),
    )

    head_seconds = HEAD_SECONDS
    rest_seconds = REST_SECONDS
    unread_seconds = UNREAD_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        connections: Connections | None = None,
        departure: Departure | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._connections = connections
        self._departure = departure
        self._peer: str | None = None
        self.pipeline = NOTHING_QUEUED
        self._in_head = True
        self._begun = False
        self._heads = 0
        self._messages = 0
        self._wire_bytes = 0
        self._body_bytes = 0
        self._is_upgrade = False
        self._ended = False
        self._reason = (400, "This is not a well-formed HTTP request")
        self._pending_refusal: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.flow = LightFlow(self.transport)
        self._answers = AnswerWriter(self.transport, self.loop)
        if self._connections is not None and self.client is not None:
            self._peer = self._connections.open(self.client[0])
            if self._peer is None:
                self._turn_away()
                return
        self._start_timer(self.head_seconds)

    def _turn_away(self) -> None:
        """Close at once: a refused connection must not hold the descriptor that it may not have."""
        self._ended = True
        self.transport.write(_refusal(429, "Too many connections from this address"))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._stop_timer()
        self._stop_unread_timer()
        if self._connections is not None and self._peer is not None:
            self._connections.close(self._peer)
            self._peer = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Pause for a peer that does not read; the connection is aborted after `unread_seconds`."""
        super().pause_writing()
        self._stop_unread_timer()
        self._unread_timer = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Resume for a peer that reads again."""
        self._stop_unread_timer()
        super().resume_writing()

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser piece by piece, checking the limits after each."""
        for start in range(0, len(data), PIECE_BYTES):
            if self._ended:
                return
            self._feed(data[start : start + PIECE_BYTES])

    def _feed(self, piece: bytes) -> None:
        heads, messages = self._heads, self._messages
        self.stop_keep_alive_timer()
        self._parse(piece)
        if self._ended:
            return
        if messages == self._messages:
            self._wire_bytes += len(piece)
            self._check_overhead()
        else:
            self._wire_bytes = self._body_bytes = 0
        if self._begun or (self._in_head and heads == self._heads):
            self._start_timer(self.head_seconds)

    def _parse(self, piece: bytes) -> None:
        if self.parser is NO_PARSER:
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(piece)
            if self._in_head and not self._begun:
                self.parser = NO_PARSER  # a request may wait for minutes without another after it
        except httptools.HttpParserUpgrade as upgrade:
            head = self._head_without_upgrade()
            self.parser = NO_PARSER
            self._is_upgrade = False
            self._parse(head + piece[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse()

    def _head_without_upgrade(self) -> bytes:
        """Return the head without its offer to upgrade: the parser skips bodies of upgrades."""
        lines = [b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] not in UPGRADING]
        return b"\r\n".join([*lines, b"", b""])

    def _check_overhead(self) -> None:
        if self._wire_bytes - BODY_WEIGHT * self._body_bytes > 2 * MAX_HEAD_BYTES:
            self._reason = (431 if self._in_head else 400, "The request is mostly framing")
            self._refuse()

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["asgi"], self.scope["state"] = ASGI, self.app_state
        self._in_head = self._begun = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is never merged into the headers."""
        if not self._in_head:
            return
        if len(self.headers) >= MAX_HEADERS:
            self._stop_parsing(431, f"The request has more than {MAX_HEADERS} headers")
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._check_head()
        if self.parser.should_upgrade():
            self._is_upgrade = True
            return
        if self.pipeline is NOTHING_QUEUED and self.cycle and not self.cycle.response_complete:
            self.pipeline = deque()
        super().on_headers_complete()
        self.lighten_cycle(self._answers)
        if self._departure is not None and self._departure.is_begun:
            self._departure.note_request(self.url)
            self.answer_last()
        self._stop_timer()
        self._in_head = self._begun = False
        self._heads += 1

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_upgrade:
            return
        self._stop_timer()
        self._in_head = True
        self._messages += 1
        cast(dict[str, Any], self.scope)[COMPLETE] = True
        super().on_message_complete()
        if self.cycle.response_complete:
            self._start_timer(self.head_seconds)  # nothing else bounds the wait for another

    def _check_head(self) -> None:
        size, hosts, encodings = len(self.url), [], []
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts.append(value)
            elif name == b"transfer-encoding":
                encodings.append(value)
        if size > MAX_HEAD_BYTES:
            self._stop_parsing(431, f"The request's head is over {MAX_HEAD_BYTES} bytes")
        version = self._check_first_line()
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            self._stop_parsing(400, "A request needs exactly one Host header")
        if encodings and version == "1.0":
            self._stop_parsing(400, "HTTP/1.0 has no transfer encodings")
        if encodings and b",".join(encodings).strip().lower() != b"chunked":
            self._stop_parsing(501, "The only transfer encoding that is taken is 'chunked' alone")
        if hosts and HOST.fullmatch(hosts[0]) is None:
            self._stop_parsing(400, "The Host header is malformed")

    def _check_first_line(self) -> str:
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._stop_parsing(400, "Only HTTP/1.1 and HTTP/1.0 are spoken here")
        if self.parser.get_method() == b"CONNECT" or TARGET.match(self.url) is None:
            self._stop_parsing(400, "The request's target is not a path")
        return version

    def _stop_parsing(self, status: int, message: str) -> NoReturn:
        self._reason = (status, message)
        raise RequestRefused

    # Answers sent before the request was read to its end

    def on_response_complete(self) -> None:
        """Go on to the next request, or close when the rest of this one does not come."""
        has_next = bool(self.pipeline)
        if self.cycle.response_complete:  # else the completed response is that of a later request
            self.cycle.body = bytearray()  # an unread rest would stay until the next collection
        super().on_response_complete()
        if has_next or self.transport.is_closing():
            return
        if self._pending_refusal is not None:
            self._finish(self._pending_refusal)
        elif not self._in_head and self.expect_100_continue:
            self.transport.close()  # the peer may or may not still send the body
        elif not self._in_head:
            self._start_timer(self.rest_seconds)

    # The stop of the process

    def answer_last(self) -> None:
        """Close the connection after the answer under way, which says so if it has not begun."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close an idle connection, but answer a request that has come or is just coming."""
        if self._begun or self._heads == 0 or self.has_unread_bytes():
            self.loop.call_later(FIRST_SECONDS, self._close_idle)
        else:
            super().shutdown()

    def _close_idle(self) -> None:
        super().shutdown()

    # Timers

    def _start_timer(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        if not self._in_head:
            self.transport.close()
        elif self.flow.read_paused:
            self._start_timer(self.head_seconds)  # the gateway itself has paused reading
        else:
            self._reason = (408, "The request's head took too long")
            self._refuse()

    # Refusals

    def _refuse(self) -> None:
        self._ended = True
        self._stop_timer()
        refusal = _refusal(*self._reason)
        if self.cycle is None:
            self._finish(refusal)
        elif self._in_head:
            self._refuse_next(refusal)
        else:
            self._refuse_current(refusal)

    def _refuse_next(self, refusal: bytes) -> None:
        if self.cycle.response_complete:
            self._finish(refusal)
        else:
            self._pending_refusal = refusal

    def _refuse_current(self, refusal: bytes) -> None:
        if self.pipeline:
            self.pipeline.popleft()
            self._pending_refusal = refusal
            return
        started = self.cycle.response_started
        self.abort_cycle()
        self._finish(b"" if started else refusal)

    def _finish(self, last: bytes) -> None:
        if self.transport.is_closing():
            return
        self.stop_keep_alive_timer()
        self.flow.resume_reading()
        self._answers.flush()
        self.transport.write(last)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _refusal(status: int, message: str) -> bytes:
    body = error_body(message, CODES[status])
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        "x-content-type-options: nosniff",
        f"content-length: {len(body)}",
        f"x-request-id: {new_request_id()}",
        "connection: close",
    ]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        lines.append(f"retry-after: {RETRY_SECONDS}")
    return "\r\n".join([*lines, "", ""]).encode() + body
