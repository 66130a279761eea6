"""A light HTTP/1.1 client on kept-alive connections, the same for every system under test."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

CONNECT_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Address of the runs of one workload, with their header lines."""

    host: str
    port: int
    path: str
    headers: tuple[str, ...] = ()


class Caller(asyncio.Protocol):
    """One connection; it carries one call at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._done: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if separator and len(body) >= _length(head) and self._done and not self._done.done():
            self._buffer = b""
            self._done.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))

    async def post(self, request: bytes) -> tuple[int, bytes]:
        """Send the bytes of a request and wait for status and body."""
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._done

    def close(self) -> None:
        self._transport.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


class Load:
    """Calls one endpoint in several manners and checks every answer."""

    def __init__(self, endpoint: Endpoint, expected: Callable[[str], Any]) -> None:
        self._endpoint = endpoint
        self._expected = expected
        self.count = 0
        """Number of runs so far."""
        lines = (f"POST {endpoint.path} HTTP/1.1", f"Host: {endpoint.host}:{endpoint.port}")
        self._head = "\r\n".join((*lines, "Content-Type: application/json", *endpoint.headers))

    async def one(self, caller: Caller) -> float:
        """One run; returns its seconds."""
        self.count += 1
        name = f"n{self.count}"
        body = json.dumps({"inputs": {"name": name}})
        request = f"{self._head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        started = time.perf_counter()
        status, answer = await caller.post(request)
        seconds = time.perf_counter() - started
        if status != 200 or json.loads(answer)["result"] != self._expected(name):
            raise AssertionError(f"{self._endpoint.path}: wrong answer {status} {answer[:300]!r}")
        return seconds

    async def in_line(self, seconds: float, at_least: int = 5) -> list[float]:
        """One caller, one run after the other; the seconds of each."""
        (caller,) = await self.connect(1)
        times: list[float] = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(times) < at_least:
            times.append(await self.one(caller))
        caller.close()
        return times

    async def together(self, callers: int, seconds: float) -> float:
        """Callers that each run one after the other; runs per second."""
        connections = await self.connect(callers)
        started = time.perf_counter()
        counts = await asyncio.gather(*(self._repeat(c, started + seconds) for c in connections))
        rate = sum(counts) / (time.perf_counter() - started)
        _close(connections)
        return rate

    async def timed(self, callers: int, seconds: float) -> list[float]:
        """Callers that each run one after the other; the seconds of all runs."""
        connections = await self.connect(callers)
        times: list[float] = []
        until = time.perf_counter() + seconds

        async def repeat(connection: Caller) -> None:
            while time.perf_counter() < until:
                times.append(await self.one(connection))

        await asyncio.gather(*map(repeat, connections))
        _close(connections)
        return times

    async def run_together(self, runs: int) -> float:
        """All runs at the same moment, a connection each; seconds until the last has ended."""
        connections = await self.connect(runs)
        started = time.perf_counter()
        try:
            await asyncio.gather(*(self.one(connection) for connection in connections))
        finally:
            _close(connections)
        return time.perf_counter() - started

    async def after_idleness(self, samples: int, idle_seconds: float) -> list[float]:
        """The seconds of single runs with a pause before each."""
        (caller,) = await self.connect(1)
        times = []
        for _ in range(samples):
            await asyncio.sleep(idle_seconds)
            times.append(await self.one(caller))
        caller.close()
        return times

    async def connect(self, count: int) -> list[Caller]:
        """Open connections, some at a time so that no backlog overflows."""
        connections: list[Caller] = []
        while len(connections) < count:
            size = min(CONNECT_BATCH, count - len(connections))
            connections += await asyncio.gather(*(self._open() for _ in range(size)))
        return connections

    async def _open(self) -> Caller:
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(Caller, self._endpoint.host, self._endpoint.port)
        return caller

    async def _repeat(self, caller: Caller, until: float) -> int:
        count = 0
        while time.perf_counter() < until:
            await self.one(caller)
            count += 1
        return count


def _close(connections: list[Caller]) -> None:
    for connection in connections:
        connection.close()
