"""Callers of an installation who go on while parts of it are replaced, and the answers they get."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

RUN = "/api/workflows/{}/run"
SECONDS = aiohttp.ClientTimeout(total=120)


@dataclass
class Answers:
    """Answers of all callers."""

    counts: Counter[str] = field(default_factory=Counter)
    """Number of answers by kind of call and status."""
    failures: list[str] = field(default_factory=list)
    """Answers that a caller does not expect, and calls without an answer, each with its time."""
    accepted: list[str] = field(default_factory=list)
    """Ids of executions that were answered with 202."""
    longest: float = 0.0
    """Seconds of the slowest quick call."""


class Load:
    """Callers at one URL: each makes one call after another until it is told to stop."""

    def __init__(self, url: str, key: str, slugs: dict[str, str]) -> None:
        """`slugs` has the workflow of each kind of run, `quick` and `slow`."""
        self._url = url
        self._headers = {"x-api-key": key}
        self._slugs = slugs
        self._began = time.monotonic()
        self.stopping = asyncio.Event()
        self.answers = Answers()

    async def run(self, callers: int) -> Answers:
        """Call until `stopping` is set; each third caller waits for slow runs."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            self._url, headers=self._headers, connector=connector, timeout=SECONDS
        ) as session:
            await asyncio.gather(*(self._call_on(session, number) for number in range(callers)))
        return self.answers

    async def _call_on(self, session: aiohttp.ClientSession, number: int) -> None:
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            if number % 3 == 0:
                await self._ask(session, "slow", "POST", RUN.format(self._slugs["slow"]))
            elif turn % 4 == 0:
                await self._ask(session, "list", "GET", "/api/executions?limit=1")
            elif turn % 4 == 1:
                path = RUN.format(self._slugs["quick"]) + "?async=true"
                await self._ask(session, "async", "POST", path)
            else:
                await self._ask(session, "quick", "POST", RUN.format(self._slugs["quick"]))

    async def _ask(self, session: aiohttp.ClientSession, kind: str, method: str, path: str) -> None:
        body = {"inputs": {"who": "Ada"}} if method == "POST" else None
        began = time.monotonic()
        try:
            async with session.request(method, path, json=body) as response:
                answer: Any = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._fail(kind, f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.05)
            return
        self.answers.counts[f"{kind} {status}"] += 1
        if status not in (200, 202):
            self._fail(kind, f"{status} {answer}")
            await asyncio.sleep(0.05)
        elif status == 202:
            self.answers.accepted.append(answer["executionId"])
        if kind != "slow":
            self.answers.longest = max(self.answers.longest, time.monotonic() - began)

    def _fail(self, kind: str, what: str) -> None:
        after = time.monotonic() - self._began
        self.answers.failures.append(f"{after:.2f} s: {kind}: {what}")
