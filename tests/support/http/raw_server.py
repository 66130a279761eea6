"""A server on loopback with scripted answers, which counts its connections."""

import asyncio
import contextlib
import ssl
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET

import pytest
import uvloop

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from workers.outbound.client import Egress

MEGABYTE = 1_048_576
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Stub:
    """Records its requests and answers with the given pieces, pausing between them."""

    reply: list[bytes] = field(default_factory=lambda: [OK], repr=False)
    pages: dict[str, bytes] = field(default_factory=dict, repr=False)
    """Other answers, by path."""
    pause: float = 0.0
    then_close: bool = False
    then_reset: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    written: int = 0
    """Pieces of replies that were sent."""
    names: list[str | None] = field(default_factory=list)
    """Server names that TLS clients sent."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def lines(self) -> list[str]:
        """Return the first line of each request, without the version."""
        return [request.split(b" HTTP/1.1\r\n")[0].decode() for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await read_request(reader))
                await self._answer(writer)
                if self.then_close or self.then_reset:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            sock = writer.get_extra_info("socket")
            if self.then_reset and sock:
                sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        path = self.requests[-1].split(b" ")[1].decode()
        for piece in [self.pages[path]] if path in self.pages else self.reply:
            await asyncio.sleep(self.pause)
            if writer.is_closing():  # uvloop takes a write then for an error of the program
                raise ConnectionResetError
            writer.write(piece)
            self.written += 1
            await writer.drain()


@dataclass
class Dropping(Stub):
    """Reads requests for `/drop` and ends the connection without an answer; answers others.

    It needs `serving_apart`.
    """

    resets: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                self.requests.append(await read_request(reader))
                if self.lines[-1].endswith("/drop"):
                    break
                await self._answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        sock = writer.get_extra_info("socket")
        if self.resets and sock:
            sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    def hang_up(self) -> None:
        """Close every connection; the caller's event loop stands still meanwhile."""
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(self.close_all(), self.loop).result(PATIENCE_SECONDS)

    async def close_all(self) -> None:
        for writer in self.writers:
            writer.close()  # over TLS, close_notify goes out, and the peer's is awaited
        await asyncio.sleep(0.05)
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


class Holding(Stub):
    """Sends its reply, then nothing more, and notices a client that disconnects."""

    def __init__(self, *reply: bytes) -> None:
        super().__init__(reply=list(reply))
        self.has_begun, self.has_gone = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.writelines(self.reply)
        self.has_begun.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.has_gone.set()
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


@contextlib.asynccontextmanager
async def serving(
    stub: Stub, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> AsyncIterator[Stub]:
    """Run the stub on a free port while the context lasts."""
    server = await asyncio.start_server(stub.serve, host, 0, backlog=1024, ssl=context)
    stub.host, stub.port = host, server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()


@contextlib.contextmanager
def serving_apart(stub: Dropping, context: ssl.SSLContext | None = None) -> Iterator[Dropping]:
    """Run the stub on an event loop in a thread of its own."""
    is_bound, is_over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        stub.loop = asyncio.get_running_loop()
        async with serving(stub, context=context):
            is_bound.set()
            await is_over.wait()
            await stub.close_all()

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    is_bound.wait()
    try:
        yield stub
    finally:
        assert stub.loop is not None
        stub.loop.call_soon_threadsafe(is_over.set)
        thread.join()


def answer(*lines: str, body: bytes = b"", status: str = "200 OK") -> list[bytes]:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines))
    return [f"{head}\r\n".encode() + body]


def redirect(status: int, *places: str) -> bytes:
    lines = [f"Location: {place}" for place in places]
    return answer(*lines, "Content-Length: 0", status=f"{status} See there")[0]


async def failure(egress: Egress, call: HttpCall) -> NodeFailed:
    with pytest.raises(NodeFailed) as caught:
        await egress.fetch(call)
    assert "127.0.0" not in caught.value.message
    return caught.value


def bomb() -> bytes:
    """Return a gibibyte of zeros in a megabyte of gzip, without its end."""
    deflater = zlib.compressobj(9, wbits=-15)
    block = deflater.compress(bytes(16 * MEGABYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + block * 64
