"""Callers that come at a rate, whether former ones have their answers or not."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.client import Endpoint, Load
from tests.support.factories import Graph

RUN_SECONDS = 1.0
"""Time of the call that each run makes."""
OK = 200
PATIENCE_SECONDS = 60.0
"""Longest time for which a caller waits."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Rate of calls for some time."""

    seconds: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Call:
    """Run that a caller waited for; times are of the monotonic clock."""

    began: float
    ended: float
    is_right: bool

    @property
    def seconds(self) -> float:
        """Return the time for which the caller waited."""
        return self.ended - self.began


def graph(target: str) -> Graph:
    """Return a workflow that calls a server for `RUN_SECONDS`, and greets the caller."""
    url = f"{target}/wait/{RUN_SECONDS * 1_000:.0f}?name={{{{ name }}}}"
    made = Graph("name").node("call", "httpRequest", url=url)
    made.node("text", "textBox", text="{{ name }} {{ answer }}").node("out", "responseOutput")
    made.wire("in.name > call.name", "in.name > text.name", "call.response-out > text.answer")
    return made.wire("text.text-out > out.result-in")


class Callers:
    """Calls of one workflow."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.calls: list[Call] = []
        self.arrivals: list[float] = []
        self._load = Load(endpoint, lambda _: None)
        lines = (f"POST {endpoint.path} HTTP/1.1", f"Host: {endpoint.host}:{endpoint.port}")
        self._head = "\r\n".join((*lines, "Content-Type: application/json", *endpoint.headers))
        self._tasks: set[asyncio.Task[None]] = set()

    async def come(self, phases: Sequence[Phase]) -> None:
        """Let callers come as the phases say."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for phase in phases:
            for number in range(round(phase.seconds * phase.per_second)):
                await asyncio.sleep(begin + number / phase.per_second - loop.time())
                self._begin()
            begin += phase.seconds

    async def end(self) -> None:
        """Wait for all answers."""
        await asyncio.gather(*self._tasks)

    def _begin(self) -> None:
        self.arrivals.append(time.monotonic())
        task = asyncio.create_task(self._call(len(self.arrivals)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, number: int) -> None:
        began = time.monotonic()
        try:
            connection = (await self._load.connect(1))[0]
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, answer = await connection.post(self._request(number))
            is_right = status == OK and json.loads(answer)["result"] == {"text": f"n{number} ok"}
            connection.close()
        except OSError:
            is_right = False
        self.calls.append(Call(began, time.monotonic(), is_right))

    def _request(self, number: int) -> bytes:
        body = json.dumps({"inputs": {"name": f"n{number}"}})
        return f"{self._head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
