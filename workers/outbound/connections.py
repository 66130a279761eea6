"""Connections of outbound calls: checked addresses, bounded heads, little memory in a wait."""

import asyncio
import functools
import resource
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import TimerNoop
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader

from workers.outbound.acknowledged import acknowledged_bytes
from workers.outbound.address_gate import AddressGate
from workers.outbound.dns import NameNotFound, NameResolver

KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection."""
MAX_CONNECTIONS = 8_192
MAX_HEADERS = 256
MAX_LINE_BYTES = 8_190
"""Of the first line of an answer, and of each header."""
READ_BYTES = 262_144
"""Bytes of a body that may wait for their reader; twice as many stop the transport."""
MAX_HEAD_BYTES = 65_536
"""Of everything before a body, interim answers included."""
HEAD_PIECE = 4_096
"""Bytes of a head that are parsed before they are counted."""
RESERVED_FILES = 256
NO_TIMER = TimerNoop()


class AddressDenied(OSError):
    """An address or a port that must not be called."""


class GarbledBody(aiohttp.ClientPayloadError):
    """The data instead of a body are not HTTP."""


class NotSent(aiohttp.ClientError):
    """The server had closed a kept connection before a byte of the call reached it."""


class _Resolver(AbstractResolver):
    """Resolves names; one denied address refuses the whole answer.

    A name without an admitted address may look like an unknown one: see `AddressGate.hides_names`.
    """

    def __init__(self, gate: AddressGate, lookups: NameResolver) -> None:
        self._gate = gate
        self._lookups = lookups

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a name."""
        addresses = await self._lookups.find(host)
        admitted = [address for address in addresses if self._gate.admits(address, port)]
        if not admitted and self._gate.hides_names:
            raise NameNotFound
        if len(admitted) < len(addresses):
            raise AddressDenied
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Do nothing: the owner of the look-ups closes them."""


class _Messages(list[Any]):
    """Queue of the heads that have come: mostly one, for which a deque takes 700 bytes."""

    __slots__ = ()

    def popleft(self) -> Any:
        """Remove and return the first head."""
        return self.pop(0)


class _Handler(ResponseHandler):
    """Counts the bytes before a body, and distinguishes the ends of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._buffer = _Messages()  # type: ignore[assignment]
        self._head_bytes_left = 0
        self._is_in_head = False
        self._is_used = False
        self._acknowledged: int | None = None
        """Bytes before this call; None: unknown, or the call has arrived."""
        self._is_unsent = False
        self._must_make_parser = False

    def set_response_params(self, *, skip_payload: bool = False, **_: Any) -> None:
        """Prepare for a call that is about to be sent. Its parser, a kilobyte, is made later."""
        self._head_bytes_left = MAX_HEAD_BYTES
        self._is_in_head = True
        if self._is_used:
            self._acknowledged = acknowledged_bytes(self.transport)
        self._is_used = True
        self._skip_payload = skip_payload
        self._parser = None
        self._must_make_parser = True
        if self._tail:
            self._make_parser()

    def _make_parser(self) -> None:
        self._must_make_parser = False
        super().set_response_params(
            timer=NO_TIMER,
            skip_payload=self._skip_payload,
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take a head, perhaps an interim answer's."""
        self._is_in_head = 100 <= data[0].code <= 199 and data[0].code != 101
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take bytes; none means that bytes which the parser held back are wanted now."""
        self._acknowledged = None
        if self._must_make_parser:
            self._make_parser()
        if not data:
            if self._payload is None or not self._payload.is_eof():
                self._parse(data)
            return
        while data and self._is_in_head:
            piece, data = data[:HEAD_PIECE], data[HEAD_PIECE:]
            self._parse(piece)
            self._head_bytes_left -= len(piece)
            if self._is_in_head and self._head_bytes_left < 0:
                self._refuse()
                return
        if data:
            self._parse(data)

    def eof_received(self) -> None:
        """Note that the server has closed the connection.

        A server acknowledges received data when it closes. A server that has acknowledged nothing
        of the call had closed before, so the call is neither read nor answered (RFC 9112, 9.6). A
        reset proves nothing: it may overtake acknowledgements.
        """
        before = self._acknowledged
        self._is_unsent = before is not None and before == acknowledged_bytes(self.transport)
        super().eof_received()

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Fail the call."""
        super().set_exception(NotSent() if self._is_unsent else exc, *cause)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the connection."""
        body = self._payload
        if isinstance(exc, OSError) and body is not None and not body.is_eof():
            body.set_exception(aiohttp.ClientOSError(*exc.args))
            self._payload = None  # otherwise it would fail again, with another error
        super().connection_lost(exc)
        if body is not None and body.exception():
            body.feed_eof()

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self.exception() and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(GarbledBody())
            self._payload.feed_eof()  # a reader that just woke up ignores exceptions

    def _refuse(self) -> None:
        self._is_in_head = False
        self.set_exception(HttpProcessingError(message="The head is too large"))
        if self.transport is not None:
            self.transport.abort()


class _Connector(aiohttp.TCPConnector):
    """Connects to addresses that the gate admits, and reads with our handler."""

    def __init__(self, gate: AddressGate, lookups: NameResolver) -> None:
        limit = _connection_limit()
        super().__init__(
            resolver=_Resolver(gate, lookups),
            socket_factory=functools.partial(_open_socket, gate),
            limit=limit,
            limit_per_host=limit * 3 // 4,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            use_dns_cache=False,
            happy_eyeballs_delay=None,
        )
        self._factory = functools.partial(_open_handler, loop=self._loop)


def open_connector(gate: AddressGate, lookups: NameResolver) -> aiohttp.BaseConnector:
    """Return a pool of connections that are kept for a while; made and closed on one loop."""
    return _Connector(gate, lookups)


def _open_handler(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Handler(loop)


def _connection_limit() -> int:
    """Return half of the files we may open: as many connections may idle as are in use."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(32, min(MAX_CONNECTIONS, (files - RESERVED_FILES) // 2))


def _open_socket(gate: AddressGate, info: aiohttp.AddrInfoType) -> socket.socket:
    """Open a socket for the very address that is about to be connected, if that is admitted."""
    family, kind, protocol, _, (address, port, *_) = info
    if not gate.admits(str(address), int(port)):
        raise AddressDenied
    return socket.socket(family, kind, protocol)


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
