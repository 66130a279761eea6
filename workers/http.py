"""The one way out: HTTP calls to checked addresses, with a total deadline and a cap on bytes."""

import asyncio
import re
import resource
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from engine.nodes.base import HttpAnswer, HttpCall, NodeFailed
from engine.urls import PORTS, UrlRefused, check_url, is_public

CONNECT_SECONDS = 10.0
RESOLVE_SECONDS = 5.0
RESOLVER_THREADS = 16
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection."""
MAX_CONNECTIONS = 8_192
MAX_HEADERS = 256
RESERVED_FILES = 256
USER_AGENT = "Headrace"

CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to the connection and not to the author of a call."""
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What HTTP allows as the name of a header."""
INFLATED = frozenset({"gzip", "x-gzip", "deflate"})
ZLIB_AND_GZIP = 47
"""The window bits by which zlib tells both formats apart itself."""


class _Denied(OSError):
    """An address or a port that must not be called."""


class Egress:
    """Sends HTTP calls; one for a worker process, made and closed on its event loop."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._resolver = _Resolver(allow_private=allow_private)
        self._session = _open_session(self._resolver, allow_private=allow_private)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._resolver.close()

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        """Send one call and read its answer within its deadline. Raises NodeFailed."""
        self._check(call)
        try:
            async with asyncio.timeout(call.timeout_seconds):
                return await self._send(call)
        except aiohttp.ServerTimeoutError:
            raise _connection_failed("The server did not take the connection in time") from None
        except TimeoutError:
            message = f"No answer within {call.timeout_seconds:g} s"
            raise NodeFailed("timeout", message, retryable=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explain(error) from None

    def _check(self, call: HttpCall) -> None:
        try:
            check_url(call.url, allow_private=self._allow_private)
        except UrlRefused as error:
            raise NodeFailed("url_blocked", str(error)) from None
        for name, _ in call.headers:
            _check_header(name)

    async def _send(self, call: HttpCall) -> HttpAnswer:
        async with self._session.request(
            call.method, call.url, headers=call.headers, data=call.body, allow_redirects=False
        ) as response:
            body = await _read(response, call.max_bytes)
            encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
            return HttpAnswer(
                status=response.status,
                headers=_plain_headers(response),
                body=_decode(body, encoding, call.max_bytes),
            )


def _check_header(name: str) -> None:
    if not TOKEN.fullmatch(name):
        raise NodeFailed("header_blocked", "A header's name has characters it must not have")
    if name.lower() in CONNECTION_HEADERS or name.lower().startswith("proxy-"):
        raise NodeFailed("header_blocked", f"The header '{name}' cannot be set")


def _open_session(resolver: AbstractResolver, *, allow_private: bool) -> aiohttp.ClientSession:
    limit = _connection_limit()
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        socket_factory=_open_any if allow_private else _open_public,
        limit=limit,
        limit_per_host=limit * 3 // 4,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        use_dns_cache=False,
        happy_eyeballs_delay=None,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT},
        skip_auto_headers=["Content-Type"],
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
        max_headers=MAX_HEADERS,
    )


def _connection_limit() -> int:
    """Half of the files we may open: as many connections may idle as are in use."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(32, min(MAX_CONNECTIONS, (files - RESERVED_FILES) // 2))


def _open_public(info: aiohttp.AddrInfoType) -> socket.socket:
    """Open a socket for the very address that is about to be connected, if it is a public one."""
    address, port, *_ = info[4]
    if not is_public(str(address)) or port not in PORTS.values():
        raise _Denied
    return _open_any(info)


def _open_any(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, *_ = info
    return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own; one denied address refuses the whole answer."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        self._lookups: dict[tuple[str, int], asyncio.Task[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name; calls that ask for the same one at the same time share a look-up."""
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = asyncio.create_task(self._look_up(host, port))
            lookup.add_done_callback(lambda done: self._forget(host, port, done))
            self._lookups[host, port] = lookup
        return await asyncio.shield(lookup)

    async def close(self) -> None:
        """Let the threads go without waiting for look-ups that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, host: str, port: int, done: asyncio.Task[list[ResolveResult]]) -> None:
        del self._lookups[host, port]
        if not done.cancelled():
            done.exception()

    async def _look_up(self, host: str, port: int) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await loop.run_in_executor(
                    self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                )
        except (TimeoutError, UnicodeError):
            raise OSError("not resolved") from None
        addresses = [str(info[4][0]) for info in found]
        if not self._allow_private and not all(map(is_public, addresses)):
            raise _Denied
        return [_result(host, address, port) for address in addresses]


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if (response.content_length or 0) > max_bytes and response.method != "HEAD":
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _decode(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Inflate what a server compressed although it was not asked to, within the same cap."""
    if encoding == "identity" or not body:
        return body
    if encoding not in INFLATED:
        raise NodeFailed("bad_response", "The answer has a content encoding that is not known")
    inflater = zlib.decompressobj(ZLIB_AND_GZIP)
    try:
        data = inflater.decompress(body, max_bytes + 1)
    except zlib.error:
        raise NodeFailed("bad_response", "The answer's content encoding is broken") from None
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    if not inflater.eof:
        raise NodeFailed("bad_response", "The answer's content encoding is cut off")
    return data


def _plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _too_large(max_bytes: int) -> NodeFailed:
    return NodeFailed("response_too_large", f"The answer is larger than {max_bytes} bytes")


def _connection_failed(message: str) -> NodeFailed:
    return NodeFailed("connection_failed", message, retryable=True)


def _explain(error: Exception) -> NodeFailed:
    """Put a failure into fixed words: the client's own may name addresses or repeat secrets."""
    if any(isinstance(cause, _Denied) for cause in _causes(error)):
        return NodeFailed("url_blocked", "The URL leads to an address that is not public")
    match error:
        case aiohttp.ClientConnectorDNSError():
            return _connection_failed("The host name of the URL could not be resolved")
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
            return _connection_failed("No trusted TLS connection could be made")
        case aiohttp.ClientConnectorError():
            return _connection_failed("The server could not be reached")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return NodeFailed("url_blocked", "The URL is not valid")
        case aiohttp.ClientResponseError():
            return NodeFailed("bad_response", "The server's answer is not valid HTTP")
        case aiohttp.ClientError() | OSError():
            return _connection_failed("The connection broke off")
    return NodeFailed("header_blocked", "A header's value or the method is not valid")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
