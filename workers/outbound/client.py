"""Client of all outbound HTTP calls: checked addresses, a total deadline and a cap on bytes."""

import asyncio
import functools
import io
import resource
import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from engine.errors.nodes import NodeFailed
from engine.executions import run_depth
from engine.net.header_policy import header_fault
from engine.net.url_policy import Target, UrlRefused
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.outbound import redirects
from workers.outbound.acknowledged import acknowledged_bytes
from workers.outbound.address_gate import AddressGate
from workers.outbound.bodies import LARGE_BODY, read_answer
from workers.outbound.budget import AllowanceSource, CallBudget
from workers.outbound.dns import NameNotFound, NameResolver

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection."""
MAX_CONNECTIONS = 8_192
MAX_HEADERS = 256
MAX_HEAD_BYTES = 65_536
"""Of everything before a body, interim answers included."""
HEAD_PIECE = 4_096
"""Bytes of a head that are parsed before they are counted."""
RESERVED_FILES = 256
USER_AGENT = "Headrace"
CLOSE = ("Connection", "close")


class _Denied(OSError):
    """An address or a port that must not be called."""


class _Garbled(aiohttp.ClientPayloadError):
    """The data instead of a body are not HTTP."""


class _BrokenOff(aiohttp.ClientError):
    """The connection ended before the head of an answer; the server may have read the call."""


class _NotSent(aiohttp.ClientError):
    """The server had closed a kept connection before a byte of the call reached it."""


class Egress:
    """Sends HTTP calls; one for a worker process, made and closed on its event loop.

    With `leases`, calls of accounts are counted there.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        gate: AddressGate | None = None,
        leases: AllowanceSource | None = None,
    ) -> None:
        self._budget = CallBudget(leases) if leases else None
        self._gate = gate or AddressGate(allow_private=allow_private)
        self._lookups = NameResolver()
        self._session = _open_session(_Connector(self._gate, self._lookups))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        self._lookups.close()

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send one call and read its answer within its deadline. Raises NodeFailed."""
        try:
            async with asyncio.timeout(call.timeout_seconds):
                await self._gate.refresh(self._lookups.find)
                return await self._follow(call)
        except aiohttp.ServerTimeoutError:
            raise _connection_failed("The server did not take the connection in time") from None
        except TimeoutError:
            message = f"No answer within {call.timeout_seconds:g} s"
            raise NodeFailed("timeout", message, retryable=True, may_have_arrived=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explain(error) from None

    async def _follow(self, call: HttpCall) -> HttpAnswer:
        limit = call.max_redirects
        for _ in range(limit + 1):
            answer = await self._send(call)
            if isinstance(answer, HttpAnswer):
                return answer
            call = answer
        raise NodeFailed("bad_response", f"The server redirects more than {limit} times")

    async def _send(self, call: HttpCall) -> HttpAnswer | HttpCall:
        """Return the answer, or the call of a redirect, whose own body is not read."""
        target, url = self._check(call)
        if self._budget and call.account_id:
            await self._budget.take(call.account_id, target.host)
        while True:
            try:
                return await self._exchange(call, target, url)
            except _NotSent:
                continue  # on another connection; a new one never raises this

    async def _exchange(self, call: HttpCall, target: Target, url: URL) -> HttpAnswer | HttpCall:
        async with self._session.request(
            call.method,
            url,
            headers=(*call.headers, *_own_headers(call)),
            data=_payload(call.body),
            allow_redirects=False,
        ) as response:
            try:
                return await _answer(call, target, response)
            finally:
                if self._budget and call.account_id:
                    received = response.content.total_bytes
                    self._budget.note(call.account_id, len(call.body or b"") + received)

    def _check(self, call: HttpCall) -> tuple[Target, URL]:
        try:
            target = self._gate.check(call.url)
            url = URL(target.url)
            if (url.scheme, url.raw_host, url.port) != (target.scheme, target.host, target.port):
                raise UrlRefused("The URL names no valid host")
        except ValueError as error:
            message = str(error) if isinstance(error, UrlRefused) else "The URL is not valid"
            raise NodeFailed("url_blocked", message) from None
        for name, value in call.headers:
            fault = header_fault(name, value)
            if fault:
                raise NodeFailed("header_blocked", f"The header {name[:64]!r} {fault}")
        return target, url


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the session from sending a call twice.

    It repeats a call of an idempotent method when one of these two errors leaves the middleware,
    and no other one. It has a switch for that, but a private one.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenOff from error


def _own_headers(call: HttpCall) -> Iterator[tuple[str, str]]:
    """Yield headers that authors cannot set."""
    yield from call.signature
    if call.depth:
        yield run_depth.HEADER, str(call.depth)
    if not call.keep_alive:
        yield CLOSE


async def _answer(
    call: HttpCall, target: Target, response: aiohttp.ClientResponse
) -> HttpAnswer | HttpCall:
    locations = response.headers.getall("Location", ())
    if call.max_redirects and locations and response.status in redirects.STATUSES:
        return redirects.next_call(call, target, response.status, locations)
    _check_framing(response)
    return await read_answer(response, call)


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
            raise _Denied
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Do nothing: the owner of the look-ups closes them."""


class _Handler(ResponseHandler):
    """Counts the bytes before a body, and distinguishes the ends of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head_bytes_left = 0
        self._is_in_head = False
        self._is_used = False
        self._acknowledged: int | None = None
        """Bytes before this call; None: unknown, or the call has arrived."""
        self._is_unsent = False

    def set_response_params(self, **options: Any) -> None:
        """Prepare for a call that is about to be sent."""
        self._head_bytes_left = MAX_HEAD_BYTES
        self._is_in_head = True
        if self._is_used:
            self._acknowledged = acknowledged_bytes(self.transport)
        self._is_used = True
        super().set_response_params(**options)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take a head, perhaps an interim answer's."""
        self._is_in_head = 100 <= data[0].code <= 199 and data[0].code != 101
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take bytes; none means that bytes which the parser held back are wanted now."""
        self._acknowledged = None
        while data and self._is_in_head:
            piece, data = data[:HEAD_PIECE], data[HEAD_PIECE:]
            self._parse(piece)
            self._head_bytes_left -= len(piece)
            if self._is_in_head and self._head_bytes_left < 0:
                self._refuse()
                return
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
        super().set_exception(_NotSent() if self._is_unsent else exc, *cause)

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
            self._payload.set_exception(_Garbled())
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


def _open_handler(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Handler(loop)


def _open_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT},
        skip_auto_headers=["Content-Type"],
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        max_headers=MAX_HEADERS,
        middlewares=(_send_once,),
    )


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
        raise _Denied
    return socket.socket(family, kind, protocol)


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """Return a large body as a file, which is written in pieces, so that others have their turn."""
    return io.BytesIO(body) if body is not None and len(body) > LARGE_BODY else body


def _check_framing(response: aiohttp.ClientResponse) -> None:
    if response.status < 200:
        raise NodeFailed("bad_response", "The server changes to another protocol")
    if response.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise NodeFailed("bad_response", "The answer is in a transfer encoding that is not known")


def _connection_failed(message: str, *, may_have_arrived: bool = False) -> NodeFailed:
    return NodeFailed(
        "connection_failed", message, retryable=True, may_have_arrived=may_have_arrived
    )


def _explain(error: Exception) -> NodeFailed:
    """Return a failure in fixed words: the client's own may name addresses or repeat secrets."""
    if any(isinstance(cause, _Denied) for cause in _causes(error)):
        return NodeFailed("url_blocked", "The URL leads to an address that is not public")
    match error:
        case NameNotFound() | aiohttp.ClientConnectorDNSError():
            return _connection_failed("The host name of the URL could not be resolved")
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
            return _connection_failed("No trusted TLS connection could be made")
        case aiohttp.ClientConnectorError():
            return _connection_failed("The server could not be reached")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return NodeFailed("url_blocked", "The URL is not valid")
        case aiohttp.ClientResponseError() | _Garbled():
            return NodeFailed("bad_response", "The server's answer is not valid HTTP")
        case aiohttp.ClientPayloadError():
            message = "The answer's body ends before its announced length"
            return NodeFailed("bad_response", message, retryable=True, may_have_arrived=True)
        case aiohttp.ClientError() | OSError():
            return _connection_failed("The connection broke off", may_have_arrived=True)
    return NodeFailed("header_blocked", "A header's value or the method is not valid")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
