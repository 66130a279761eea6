"""Proxy before Redis that counts, swallows replies, freezes and cuts."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path


class RedisProxy:
    """Forwards a Unix socket; its flags may change at any time."""

    def __init__(self, target: str, path: str) -> None:
        self.url = f"unix://{path}"
        self.connections = 0
        self.requests: list[bytes] = []
        """Data sent by clients, one entry per write."""
        self.swallow_replies = False
        """Whether requests reach Redis, but replies are lost and the connection is cut."""
        self.is_frozen = False
        """Whether connections stay open without data, like half-open ones."""
        self._target = target.removeprefix("unix://")
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, server_writer}
        for pump in (self._requests(reader, server_writer), self._replies(server_reader, writer)):
            task = asyncio.ensure_future(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                if not self.is_frozen:
                    self.requests.append(data)
                    writer.write(data)
        writer.close()

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                if self.swallow_replies:
                    break
                if not self.is_frozen:
                    writer.write(data)
        writer.close()

    def move(self, redis_url: str) -> None:
        """Direct new connections to another server; open ones stay, as after a move of a name."""
        self._target = redis_url.removeprefix("unix://")

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def finish(self) -> None:
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)


@contextlib.asynccontextmanager
async def running_proxy(redis_url: str) -> AsyncIterator[RedisProxy]:
    """Run a proxy before the server at `redis_url`."""
    with tempfile.TemporaryDirectory(prefix="hr-proxy-") as folder:
        path = str(Path(folder) / "s")
        proxy = RedisProxy(redis_url, path)
        server = await asyncio.start_unix_server(proxy.serve, path)
        try:
            yield proxy
        finally:
            server.close()
            await proxy.finish()
