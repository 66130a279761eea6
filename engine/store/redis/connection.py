"""One connection to Redis, with commands and replies in order.

A thin protocol over hiredis, because the streams of redis-py cost more per call than the rest of a
run (figures in docs/dependencies.md). It never repeats a command: its client may.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import hiredis

from engine.store.redis.address import RedisAddress, RedisNode, Topology
from engine.store.redis.cluster.topology import find_primary
from engine.store.redis.sentinels import sentinels_of

CONNECT_SECONDS = 1.0
LOOKUP_SECONDS = 0.8
"""Longest time to look up a host's name; less than the above, so that the reason names the host."""
SENTINEL_CONNECT_SECONDS = 2.0
"""Longest time to ask the sentinels and to connect to a primary that they name."""
AFTER_HANDSHAKE = (
    "It ended right after the TLS handshake: the server may ask for a certificate of this client, "
    "which HEADRACE_REDIS_TLS_CERT and HEADRACE_REDIS_TLS_KEY name."
)
SILENCE_SECONDS = 2.0
"""Silence with an outstanding reply after which the server counts as gone."""

Receiver = Callable[[Any], None]
Argument = str | bytes | int | float
NOTHING = object()


class IsReplica(ConnectionError):
    """The server is a replica: it accepts no writes and its data may be old."""


class ConnectionLost(ConnectionError):
    """A connection that was in use has ended: the server may have executed the command, or not."""


class UnknownHost(ConnectionError):
    """The name of the server's host cannot be looked up; the text names it."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"Its host name '{host}' cannot be looked up ({reason}).")


class Connection(asyncio.Protocol):
    """Connected protocol; each command's receiver gets the reply or a ConnectionError."""

    def __init__(self, push: Receiver | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=NOTHING)
        self._receivers: deque[Receiver] = deque()
        self._push = push
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._is_silent = False
        """Whether the connection is closed because the server was silent."""
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection has ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # uvloop sends less than the limit only after it has looked for other events.
        self._transport.set_write_buffer_limits(high=0)

    def connection_lost(self, error: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if not self.lost.done():
            self.lost.set_result(None)
        cause = f": {error}" if error else ""
        failure = _ended(cause, is_silent=self._is_silent)
        while self._receivers:
            self._receivers.popleft()(failure)

    @property
    def is_idle(self) -> bool:
        """True when no reply is outstanding."""
        return not self._receivers

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        reader = self._reader
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not NOTHING:
                if isinstance(reply, hiredis.PushNotification):
                    if self._push is not None:
                        self._push(reply)
                else:
                    self._receivers.popleft()(reply)
        except (hiredis.ProtocolError, IndexError):
            self.abort()

    def write(self, packed: Iterable[bytes], receivers: Iterable[Receiver]) -> None:
        """Send packed commands; `receivers` get their replies in order."""
        if self._transport is None or self._transport.is_closing():
            failure = _ended(is_silent=self._is_silent)
            for receiver in receivers:
                receiver(failure)
            return
        if not self._receivers:
            self._heard_at = self._loop.time()
        self._receivers.extend(receivers)
        self._transport.write(b"".join(packed))
        if self._watch is None:
            self._watch = self._loop.call_later(SILENCE_SECONDS / 2, self._check_silence)

    def hand_over(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """Let another protocol have the transport from now on. Raises ConnectionError."""
        if self._transport is None or self._transport.is_closing() or self._receivers:
            raise ConnectionError("The connection to Redis has ended or is in use")
        if self._watch is not None:
            self._watch.cancel()
        self._transport.set_protocol(protocol)
        return self._transport

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _check_silence(self) -> None:
        self._watch = None
        if not self._receivers:
            return
        if self._loop.time() - self._heard_at > SILENCE_SECONDS:
            self._is_silent = True
            self.abort()
        else:
            self._watch = self._loop.call_later(SILENCE_SECONDS / 2, self._check_silence)

    async def request(self, *command: Argument) -> Any:
        """Send one command and return its reply. Raises ConnectionError or hiredis.ReplyError."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.write([pack(*command)], [lambda reply: _set(future, reply)])
        reply = await future
        if isinstance(reply, Exception):
            raise reply
        return reply


def _ended(cause: str = "", *, is_silent: bool) -> ConnectionError:
    """Return the error of commands without a reply; after a silence nobody waits once more."""
    kind = ConnectionError if is_silent else ConnectionLost
    return kind(f"The connection to Redis has ended{cause}")


def pack(*words: Argument) -> bytes:
    """Return a command in Redis's protocol."""
    return cast(bytes, hiredis.pack_command(cast(Any, words)))


def _set(future: asyncio.Future[Any], reply: Any) -> None:
    if not future.done():
        future.set_result(reply)


async def connect(
    address: RedisAddress, push: Receiver | None = None, *, slot_key: str | None = None
) -> Connection:
    """Return a ready connection to a primary, of a cluster to that of a key's slot, or to any.

    Sentinels are asked for the primary; the connection ends when they name another.

    Raises OSError (IsReplica for a replica), TimeoutError or ReplyError.
    """

    async def dial(node: RedisNode) -> Connection:
        return await connect_server(address.at(node), push)

    match address.topology:
        case Topology.SENTINEL:
            async with asyncio.timeout(SENTINEL_CONNECT_SECONDS):
                return await sentinels_of(address).connect(dial)
        case Topology.CLUSTER:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await dial(await find_primary(address, slot_key))
        case Topology.SINGLE:
            return await connect_server(address, push)


async def connect_server(address: RedisAddress, push: Receiver | None = None) -> Connection:
    """Return a ready connection to the one server of an address. Raises like `connect`."""
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await _open(address, push)
        try:
            await _greet(connection, address)
        except BaseException as error:
            connection.abort()
            if address.tls is not None and type(error) in (ConnectionError, ConnectionLost):
                raise ConnectionError(f"{error}. {AFTER_HANDSHAKE}") from error
            raise
    return connection


async def _open(address: RedisAddress, push: Receiver | None) -> Connection:
    loop = asyncio.get_running_loop()

    def make() -> Connection:
        return Connection(push)

    if address.path:
        _, made = await loop.create_unix_connection(make, address.path)
        return made
    (node,) = address.nodes
    context = None if address.tls is None else address.tls.context()
    name = None if context is None else node.host
    failures: list[OSError] = []
    for host in await _look_up(node):
        try:
            _, connection = await loop.create_connection(
                make, host, node.port, ssl=context, server_hostname=name
            )
            return connection
        except ssl.SSLError:
            raise  # a server answers there, so no other address is tried
        except OSError as error:
            failures.append(error)
    raise failures[0]


async def _look_up(node: RedisNode) -> list[str]:
    """Return the IP addresses of a server's host. Raises UnknownHost.

    `create_connection` of uvloop looks names up too, but logs the error of a lookup that ends after
    its caller has given up.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await loop.getaddrinfo(node.host, node.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise UnknownHost(node.host, error.strerror or str(error)) from error
    except TimeoutError:
        raise UnknownHost(node.host, "no name server answers in time") from None
    return [str(place[0]) for *_, place in found]


def is_replica(reply: Any) -> bool:
    """Return whether the reply to HELLO is a replica's."""
    return isinstance(reply, dict) and reply.get(b"role") in (b"slave", b"replica")


async def _greet(connection: Connection, address: RedisAddress) -> None:
    credentials: tuple[str, ...] = ()
    if address.password:
        credentials = ("AUTH", address.username or "default", address.password)
    reply = await connection.request("HELLO", 3, *credentials)
    if is_replica(reply):
        raise IsReplica("The server is a replica")
    if address.db:
        await connection.request("SELECT", address.db)
