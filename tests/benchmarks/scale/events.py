"""`python -m tests.benchmarks.scale.events`: events of an inbound webhook at a steady rate.

Starts a stack of its own. Every event is signed, decided on by an expression, and has an id; one in
ten is sent twice at once. Each event must start exactly one run. Times count from the moment at
which an event is due, so waiting behind others counts too.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.client import Caller as Connection
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.triggers import SECRET, at, greeting, hook, make
from tests.support.triggers.signatures import github

DOUBLED = 10
"""One event in so many is sent twice at once."""
SETTINGS = {
    "verify": {"kind": "github", "secret": "SIGNING"},
    "when": "body.action == 'opened'",
    "inputs": {"name": "body.issue.title"},
}


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale.events", description=__doc__
    )
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        options = ("--no-demo", "--workers", "2", "--gateways", "1")
        with running(Path(scratch), *options) as stack:
            measure(stack, asked.rate, asked.seconds)


def measure(stack: RunningStack, rate: int, seconds: int) -> None:
    """Send the events, and check that each has started one run."""
    administration = Administration(stack)
    owner = administration.browser(administration.account("enterprise"))
    owner.put("/api/secrets/SIGNING", {"value": SECRET})
    trigger = make(owner, hook(owner.save(greeting()), **SETTINGS))
    count = rate * seconds
    events = Events(trigger["url"], rate)
    asyncio.run(events.send_all(count))
    executions = events.check(count)
    rows = started(owner, trigger, len(executions))
    assert sorted(row["executionId"] for row in rows) == sorted(executions)
    ended = until(lambda: _processing(owner, trigger), lambda left: left == 0, timeout=120)
    assert ended == 0
    times = sorted(events.seconds)
    middle, late = statistics.median(times), times[len(times) * 99 // 100]
    print(
        f"{count} events, {rate} a second, {events.doubled} sent twice: {len(executions)} runs; "
        f"p50 {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms, longest {times[-1] * 1000:.0f} ms"
    )
    administration.close()


def started(owner: Caller, trigger: Mapping[str, Any], count: int) -> Sequence[Any]:
    """Return all occurrences of a trigger, which must all have started."""
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
        page = owner.get(at(dict(trigger), f"/occurrences{query}")).json()
        rows += page["rows"]
        cursor = page["nextCursor"]
    assert [row["status"] for row in rows] == ["started"] * count, len(rows)
    return rows


def _processing(owner: Caller, trigger: Mapping[str, Any]) -> int:
    path = f"/api/executions?triggerId={trigger['id']}&status=processing&limit=1"
    return len(owner.get(path).json()["rows"])


class Events:
    """Sends signed events to the URL of a trigger, and keeps the answers by event."""

    def __init__(self, url: str, rate: int) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        self._rate = rate
        self._idle: list[Connection] = []
        self._answers: dict[int, list[tuple[int, Any]]] = defaultdict(list)
        self.seconds: list[float] = []
        self.doubled = 0

    async def send_all(self, count: int) -> None:
        """Send the events, each at its time."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                due = began + number / self._rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                request = self._request(number)
                tasks.create_task(self._send(number, request, due))
                if number % DOUBLED == 0:
                    self.doubled += 1
                    tasks.create_task(self._send(number, request, due))
        for connection in self._idle:
            connection.close()

    def check(self, count: int) -> Sequence[str]:
        """Return the execution of each event: every answer must name the same."""
        executions = []
        for number in range(count):
            answers = self._answers[number]
            assert len(answers) == 1 + (number % DOUBLED == 0)
            assert sorted(status for status, _ in answers) == [200, 202][-len(answers) :], answers
            [execution_id] = {body["executionId"] for _, body in answers}
            executions.append(execution_id)
        assert len(set(executions)) == count
        return executions

    async def _send(self, number: int, request: bytes, due: float) -> None:
        connection = self._idle.pop() if self._idle else await self._connect()
        status, body = await connection.post(request)
        self._idle.append(connection)
        self.seconds.append(time.perf_counter() - due)
        self._answers[number].append((status, json.loads(body)))

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._host, self._port)
        return connection

    def _request(self, number: int) -> bytes:
        body = json.dumps({"action": "opened", "issue": {"title": f"Issue {number}"}}).encode()
        headers = {"content-type": "application/json", **github(SECRET, body, f"d-{number}")}
        lines = [
            f"POST {self._path} HTTP/1.1",
            f"host: {self._host}:{self._port}",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"content-length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


if __name__ == "__main__":
    main()
