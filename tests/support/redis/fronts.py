"""Proxies before a server's port: TLS, delay and loss.

A proxy runs in a thread with an event loop of its own, so that tests that block may use it.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Coroutine
from typing import Any

from tests.support.redis.certificates import Certificates
from tests.support.redis.processes import HOST

TLS_HANDSHAKE = b"\x16"
RETRANSMISSION_SECONDS = 0.2
CHUNK_BYTES = 1 << 16
REPLICATION = (b"PSYNC", b"SYNC\r\n", b"REPLCONF")
SENTINEL = (b"SENTINEL-",)  # names of its connections


class Front:
    """Forwards a port of its own to a server's port, or to its Unix socket.

    Flags may change at any time and hold for what comes after.
    """

    def __init__(self, target: int | str) -> None:
        self._target = target
        self.connections = 0
        self.delay = 0.0
        """Seconds that every piece of data takes, in each direction."""
        self.replication_delay = 0.0
        """Seconds that pieces sent to a replica take besides."""
        self.loss = 0.0
        """Share of pieces, 0 to 1, that are late by the time of a retransmission."""
        self.replies_to_lose = 0
        """Number of replies to clients that are dropped, each with its connection."""
        self.is_cut = False
        """Whether new connections are refused; `cut` closes the open ones besides."""
        self.is_isolated = False
        """Whether replicas and sentinels are refused, see `isolate`."""
        self._links: set[_Link] = set()
        self._random = random.Random(1)
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """Return host and port."""
        return f"{HOST}:{self.port}"

    def isolate(self) -> None:
        """Cut off replicas and sentinels until `mend`; clients keep their connections."""
        self.is_isolated = True
        self._loop.call_soon_threadsafe(self._close_peers)

    def cut(self) -> None:
        """Close all connections, and refuse new ones until `mend`."""
        self.is_cut = True
        self._loop.call_soon_threadsafe(self._close_connections)

    def mend(self) -> None:
        """Accept all connections again."""
        self.is_cut = self.is_isolated = False

    def close(self) -> None:
        """Close all connections and the port."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def accept(self, connection: socket.socket) -> tuple[Any, Any]:
        """Return reader and writer of a new connection."""
        return await self._streams(connection, None)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._begin(self._serve())
        self._loop.run_forever()
        for task in self._tasks:
            task.cancel()
        self._close_connections()
        waited = asyncio.gather(*self._tasks, return_exceptions=True)
        self._loop.run_until_complete(waited)
        self._listener.close()
        self._loop.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close_peers(self) -> None:
        for link in self._links:
            if link.is_peer:
                link.writer.transport.abort()

    def _close_connections(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self) -> None:
        while True:
            connection, _ = await self._loop.sock_accept(self._listener)
            if self.is_cut:
                connection.close()
                continue
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin(self._forward(connection))

    async def _forward(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            try:
                reader, writer = await self.accept(connection)
            except BaseException:
                connection.close()
                raise
            self._writers.add(writer)
            try:
                await self._join(reader, writer)
            finally:
                writer.transport.abort()
                self._writers.discard(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._target, int):
            server = await asyncio.open_connection(HOST, self._target)
        else:
            server = await asyncio.open_unix_connection(self._target.removeprefix("unix://"))
        link = _Link(server[1])
        self._links.add(link)
        self._writers.add(server[1])
        pumps = [
            asyncio.ensure_future(self._pump(reader, server[1], link, is_reply=False)),
            asyncio.ensure_future(self._pump(server[0], writer, link, is_reply=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            server[1].transport.abort()
            self._writers.discard(server[1])
            self._links.discard(link)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        link: "_Link",
        *,
        is_reply: bool,
    ) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.ensure_future(self._send_late(late, writer))
        try:
            while data := await reader.read(CHUNK_BYTES):
                if not is_reply:
                    link.note(data)
                if link.is_peer and self.is_isolated:
                    return
                if is_reply and self.replies_to_lose > 0 and not link.is_peer:
                    self.replies_to_lose -= 1
                    return
                seconds = self._seconds(is_late_reply=is_reply and link.is_replication)
                if seconds or not late.empty() or link.is_sending_late:
                    link.is_sending_late = True
                    late.put_nowait((self._loop.time() + seconds, data))
                else:
                    writer.write(data)
                    await writer.drain()
            if not (is_reply and link.is_replication):
                await late.join()  # what a replica does not have yet is lost with its primary
        finally:
            sender.cancel()

    async def _send_late(
        self, late: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            writer.write(data)
            await writer.drain()
            late.task_done()

    def _seconds(self, *, is_late_reply: bool) -> float:
        seconds = self.delay + (self.replication_delay if is_late_reply else 0.0)
        if self.loss and self._random.random() < self.loss:
            seconds += RETRANSMISSION_SECONDS
        return seconds

    async def _streams(self, connection: socket.socket, context: ssl.SSLContext | None) -> Any:
        reader = asyncio.StreamReader(limit=CHUNK_BYTES, loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        transport, _ = await self._loop.connect_accepted_socket(
            lambda: protocol, connection, ssl=context
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)


class _Link:
    """State of one connection, shared by its two directions."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        """Of the connection to the server."""
        self.is_replication = False
        self.is_peer = False
        """Whether a replica or a sentinel has made the connection."""
        self.is_sending_late = False
        """Whether a piece was late: later ones queue behind it, so that order is kept."""
        self._heard = 0

    def note(self, data: bytes) -> None:
        """Look at the first requests, which show the kind of a client."""
        if self._heard < CHUNK_BYTES and not self.is_replication:
            self._heard += len(data)
            words = data.upper()
            self.is_replication = any(word in words for word in REPLICATION)
            self.is_peer = self.is_replication or self.is_peer or any(w in words for w in SENTINEL)


class DelayProxy(Front):
    """Delay and loss before a server; a primary's replicas may be delayed alone."""

    def __init__(
        self,
        target: int | str,
        *,
        delay: float = 0.0,
        replication_delay: float = 0.0,
        loss: float = 0.0,
    ) -> None:
        super().__init__(target)
        self.delay = delay
        self.replication_delay = replication_delay
        self.loss = loss


class TlsFront(Front):
    """TLS before a server, with a client's certificate if `asks_for_certificate`.

    With `takes_plain` the port takes connections without TLS too: those of replicas, of other
    nodes and of sentinels, which know a server by the port that clients know.
    """

    def __init__(
        self,
        target: int | str,
        certificates: Certificates,
        *,
        asks_for_certificate: bool = False,
        takes_plain: bool = False,
    ) -> None:
        self._takes_plain = takes_plain
        self.refused: list[str] = []
        """Reasons of failed handshakes."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.server_cert, certificates.server_key)
        if asks_for_certificate:
            self._context.load_verify_locations(certificates.ca)
            self._context.verify_mode = ssl.CERT_REQUIRED
        super().__init__(target)

    async def accept(self, connection: socket.socket) -> tuple[Any, Any]:
        if self._takes_plain and await self._first_byte(connection) != TLS_HANDSHAKE:
            return await super().accept(connection)
        try:
            found: tuple[Any, Any] = await self._streams(connection, self._context)
        except OSError as error:
            self.refused.append(str(error))
            raise
        return found

    async def _first_byte(self, connection: socket.socket) -> bytes:
        readable = self._loop.create_future()
        self._loop.add_reader(connection, lambda: readable.done() or readable.set_result(None))
        try:
            await readable
        finally:
            self._loop.remove_reader(connection)
        return connection.recv(1, socket.MSG_PEEK)
