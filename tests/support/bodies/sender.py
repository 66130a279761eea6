"""Hostile requests sent to a gateway over a few kept connections, and what became of them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

MCP = "accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-06-18"
ANSWER_SECONDS = 60.0
SLOW_SECONDS = 1.0
KEPT = 2_000
"""Bytes of an answer that are looked at."""


class Target(Protocol):
    """A route with requests that are made from a seed and a number."""

    @property
    def method(self) -> str: ...

    @property
    def route(self) -> str: ...

    @property
    def needs_session(self) -> bool: ...

    def request(self, seed: int, number: int) -> tuple[str, bytes]:
        """Return the path and the body of a number."""
        ...


@dataclass
class Exchange:
    """One request, and its answer."""

    number: int
    target: Target
    path: str
    status: int
    seconds: float
    answer: bytes

    def __str__(self) -> str:
        where = f"{self.target.method} {self.path}"
        answered = f"{self.status}, {self.seconds:.3f} s, {self.answer!r}"
        return f"request {self.number} to {where}: {answered}"


@dataclass
class Findings:
    """Counts of all answers, and those that should not be."""

    statuses: Counter[int] = field(default_factory=Counter)
    by_route: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[Exchange] = field(default_factory=list)
    slow: list[Exchange] = field(default_factory=list)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Time of all answers by route."""

    def __str__(self) -> str:
        lines = []
        for route, seconds in sorted(self.seconds.items(), key=lambda each: -each[1]):
            statuses = {status: n for (at, status), n in self.by_route.items() if at == route}
            mean = seconds / sum(statuses.values()) * 1_000
            lines.append(f"{route}: {mean:.1f} ms, {statuses}")
        return "\n".join(lines)

    def add(self, exchange: Exchange) -> None:
        """Count an answer."""
        target = exchange.target
        self.statuses[exchange.status] += 1
        self.by_route[f"{target.method} {target.route}", exchange.status] += 1
        self.seconds[f"{target.method} {target.route}"] += exchange.seconds
        if is_wrong(exchange):
            self.wrong.append(exchange)
        elif exchange.seconds > SLOW_SECONDS:
            self.slow.append(exchange)


def is_wrong(exchange: Exchange) -> bool:
    """Whether a request got no answer, a 500, or a look at the code behind it.

    A 500 that names a run is one of the contract: the server that the run called had failed.
    """
    failed = b'"code":"EXECUTION_FAILED"' in exchange.answer
    if exchange.status == 500:
        return not failed
    return not 200 <= exchange.status < 600 or leaks(exchange.answer)


def leaks(answer: bytes) -> bool:
    """Whether an answer tells of the code behind it."""
    return b"Traceback (most" in answer or b'.py", line' in answer or b"user_script:" in answer


class Sender:
    """One connection, which is opened again when the gateway closes it."""

    def __init__(self, url: str, seed: int, key: str, cookie: str) -> None:
        self._where, self._seed = urlsplit(url), seed
        self._credentials: Mapping[bool, str] = {
            False: f"x-api-key: {key}\r\n{MCP}\r\n",
            True: f"cookie: headrace_session={cookie}\r\norigin: {url}\r\n",
        }
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, number: int, target: Target) -> Exchange:
        """Send the request of a number; return its answer, with the status 0 when there is none."""
        path, body = target.request(self._seed, number)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, answer = await self._send(target, path, body)
        except (TimeoutError, OSError, EOFError) as error:
            self.close()
            status, answer = 0, repr(error).encode()
        return Exchange(number, target, path, status, time.perf_counter() - began, answer)

    async def _send(self, target: Target, path: str, body: bytes) -> tuple[int, bytes]:
        head = (
            f"{target.method} {path} HTTP/1.1\r\nhost: {self._where.netloc}\r\n"
            f"{self._credentials[target.needs_session]}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                self._where.hostname, self._where.port
            )
        self._writer.write(head.encode())
        self._writer.write(body)
        first, _, rest = (
            (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition("\r\n")
        )
        headers = {
            name.lower(): value
            for name, _, value in (line.partition(": ") for line in rest.split("\r\n"))
        }
        answer = b""
        if "content-length" in headers:
            answer = await self._reader.readexactly(int(headers["content-length"]))
        if "close" in headers.get("connection", "") or "transfer-encoding" in headers:
            self.close()  # an answer without a length may go on for long
        return int(first.split()[1]), answer[:KEPT]

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def send_all(
    senders: Sequence[Sender], aims: Sequence[Target], numbers: Iterator[int], findings: Findings
) -> None:
    """Send the request of each number to the routes in turn."""

    async def go_on(sender: Sender) -> None:
        for number in numbers:
            findings.add(await sender.exchange(number, aims[number % len(aims)]))
        sender.close()

    await asyncio.gather(*(go_on(each) for each in senders))


async def still_slow(sender: Sender, found: Sequence[Exchange], times: int) -> list[Exchange]:
    """Send slow requests again, alone; return those that are slow each time."""
    slow = []
    for one in found:
        again = one
        for _ in range(times):
            again = await sender.exchange(one.number, one.target)
            if again.seconds <= SLOW_SECONDS:
                break
        else:
            slow.append(again)
    return slow
