"""Mixed load on accounts of every shard, and the answers that their callers got."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from engine.access.capabilities import Tier
from engine.access.tiers import Tiers
from engine.store import Store
from tests.support.acceptance.http_load import Connection
from tests.support.acceptance.random_spending import WORKFLOWS, Spender
from tests.support.factories import Graph

CREDITS = 10_000_000
REQUEST_SECONDS = 90.0
"""Longest a call may take; a call that takes longer counts as hung."""
REPEAT_SECONDS = 0.1
PAUSE_SECONDS = 0.15
"""Mean pause of a caller between two runs."""
ENDED = ("completed", "failed", "cancelled")
KINDS = {"sync": 9, "async": 6, "repeat": 2, "cancel": 2, "watch": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer to one request. Times are of the monotonic clock; status 0: no answer."""

    kind: str
    sent: float
    answered: float
    status: int
    code: str = ""


@dataclass(slots=True, kw_only=True)
class Run:
    """One run as its caller sees it, whatever executions it became."""

    number: str
    """Path of the call that the run makes: counts at the target show each repetition."""
    workflow: int
    kind: str
    ids: dict[str, float] = field(default_factory=dict)
    """Executions by which it was accepted, one unless an acceptance was lost, and their times."""
    account_id: str
    end: str = ""
    """End that the caller was told."""
    is_right: bool = True
    """Whether the result, if any, was of this run."""

    @property
    def last_id(self) -> str:
        return list(self.ids)[-1]


@dataclass
class Load:
    """Callers of several accounts, their runs, and every answer."""

    spenders: list[Spender]
    target: str
    seed: int = 1
    runs: list[Run] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    _is_over: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self, callers: int) -> AsyncIterator["Load"]:
        """Let so many callers of each account make runs while the context lasts."""
        for spender in self.spenders:
            for number in range(callers):
                draw = random.Random(f"{self.seed} {spender.account.email} {number}")
                caller = _Caller(self, spender, draw)
                self._tasks.append(asyncio.create_task(caller.go_on()))
        try:
            yield self
        finally:
            self._is_over = True
            await asyncio.gather(*self._tasks)

    @property
    def is_over(self) -> bool:
        return self._is_over

    def runs_of(self, spender: Spender) -> list[Run]:
        """Return the runs of an account."""
        return [run for run in self.runs if run.account_id == spender.account.id]

    def note(self, kind: str, sent: float, status: int, code: str = "") -> None:
        """Keep an answer."""
        now = time.monotonic()
        self.answers.append(Answer(kind=kind, sent=sent, answered=now, status=status, code=code))

    def statuses(self) -> Counter[str]:
        """Return the number of answers by status and code."""
        return Counter(f"{each.status} {each.code}".strip() for each in self.answers)

    def answered_after(self, moment: float, kind: str, status: int) -> float | None:
        """Return when the first request sent after a moment was answered so, None if not yet."""
        found = (
            each.answered
            for each in self.answers
            if each.sent >= moment and (each.kind, each.status) == (kind, status)
        )
        return min(found, default=None)


class _Caller:
    """Makes one run after another, and repeats each request until it is answered for good."""

    def __init__(self, load: Load, spender: Spender, draw: random.Random) -> None:
        self._load = load
        self._spender = spender
        self._draw = draw

    async def go_on(self) -> None:
        while not self._load.is_over:
            kind = self._draw.choices(list(KINDS), list(KINDS.values()))[0]
            workflow = self._draw.randrange(len(WORKFLOWS))
            seconds = "0.7" if kind == "cancel" else self._draw.choice(["0", "0.02", "0.2"])
            unique = self._draw.randrange(10**12)
            number = f"/slow/{seconds}/{unique}?n={unique}"
            account_id = self._spender.account.id
            run = Run(number=number, workflow=workflow, kind=kind, account_id=account_id)
            self._load.runs.append(run)
            await getattr(self, f"_{kind}")(run)
            await asyncio.sleep(self._draw.expovariate(1 / PAUSE_SECONDS))

    async def _sync(self, run: Run) -> None:
        status, answer = await self._start(run, "")
        if status == 200:
            run.end = "completed"
            fan = run.workflow > 0  # whose result has the answer to its call
            run.is_right = not fan or f'"n": {run.number.partition("?n=")[2]}' in json.dumps(answer)
        elif status == 202:  # longer than the caller's wait
            await self._wait(run)

    async def _async(self, run: Run) -> None:
        await self._start(run, "?async=true")
        await self._wait(run)

    async def _repeat(self, run: Run) -> None:
        await asyncio.gather(self._start(run, "?async=true"), self._start(run, "?async=true"))
        await self._wait(run)

    async def _cancel(self, run: Run) -> None:
        await self._start(run, "?async=true")
        await asyncio.sleep(self._draw.random() / 2)
        path = f"/api/executions/{run.last_id}/cancel"
        await self._ask("cancel", "POST", path, {}, ends_at=(202, 404, 409))
        await self._wait(run)

    async def _watch(self, run: Run) -> None:
        """Follow the events of an asynchronous run to their end, as often as they break off."""
        await self._start(run, "?async=true")
        path = f"/api/executions/{run.last_id}/events"
        while True:
            sent = time.monotonic()
            status = await follow_events(self._spender, path)
            self._load.note("events", sent, status, "" if status else "STREAM_BROKE_OFF")
            if status in (200, 204, 404):
                break
            await asyncio.sleep(REPEAT_SECONDS)
        await self._wait(run)

    async def _start(self, run: Run, query: str) -> tuple[int, Any]:
        path = f"/api/workflows/{self._spender.slugs[run.workflow]}/run{query}"
        body = {"inputs": {"url": f"{self._load.target}{run.number}"}}
        kind = "async" if query else "sync"
        ends_at = (200, 202)
        key = run.number.partition("?n=")[2]
        status, answer = await self._ask(kind, "POST", path, body, ends_at, idempotency_key=key)
        run.ids.setdefault(answer["executionId"], time.monotonic())
        return status, answer

    async def _wait(self, run: Run) -> None:
        """Ask for the end of a run. An execution that is gone ends the waiting."""
        path = f"/api/executions/{run.last_id}"
        while True:
            status, answer = await self._ask("poll", "GET", path, None, ends_at=(200, 404))
            run.end = "gone" if status == 404 else str(answer["status"])
            if run.end in (*ENDED, "gone"):
                return
            await asyncio.sleep(REPEAT_SECONDS)

    async def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: Any,
        ends_at: tuple[int, ...],
        **headers: str,
    ) -> tuple[int, Any]:
        """Repeat a request until its status is one of `ends_at`; each answer is noted."""
        while True:
            sent = time.monotonic()
            status, answer = await call(self._spender, method, path, body, **headers)
            code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
            self._load.note(kind, sent, status, code)
            if status in ends_at:
                return status, answer
            await asyncio.sleep(REPEAT_SECONDS)


async def call(
    spender: Spender, method: str, path: str, body: Any, **headers: str
) -> tuple[int, Any]:
    """Return status and body of a request over a connection of its own; 0: no answer."""
    connection = Connection(spender.url, spender.key)
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            await connection.open()
            try:
                return await connection.call(method, path, body, **headers)
            finally:
                await connection.close()
    except TimeoutError:
        return 0, {"code": "HUNG"}
    except (OSError, asyncio.IncompleteReadError) as error:
        return 0, {"code": type(error).__name__}


async def follow_events(spender: Spender, path: str) -> int:
    """Return the status of a stream that told the end of its execution, 0 if it broke off."""
    where = urlsplit(spender.url)
    head = f"GET {path} HTTP/1.1\r\nhost: {where.netloc}\r\nx-api-key: {spender.key}\r\n"
    data = b""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(REQUEST_SECONDS):
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(f"{head}accept: text/event-stream\r\nconnection: close\r\n\r\n".encode())
            try:
                while more := await reader.read(65_536):
                    data += more
            finally:
                writer.close()
    status = int(data.split(None, 2)[1]) if data else 0
    return 0 if status == 200 and b"event: execution.finished" not in data else status


async def open_accounts(
    store: Store, url: str, tiers: Tiers, shards: "list[int]", shard_of: Any
) -> list[Spender]:
    """Create rich accounts until each shard has as many as it appears in `shards`."""
    missing, spenders, number = Counter(shards), [], 0
    while missing.total():
        email = f"caller{number}@localhost"
        account = await store.accounts.create(email=email, tier=Tier.ENTERPRISE)
        number += 1
        shard = shard_of(account.id)
        if not missing[shard]:
            continue
        missing[shard] -= 1
        _, key = await store.api_keys.create(account, name="k", capabilities=["workflow:*"])
        terms = tiers.terms(Tier.ENTERPRISE, account.role)
        spender = Spender(store, account, terms, url, key, CREDITS)
        await spender.begin()
        await spender.top_up(random.Random(email))
        spenders.append(spender)
    return spenders


async def save_tiny(spender: Spender) -> str:
    """Save a workflow that answers with its input; return its slug."""
    graph = Graph("who").node("out", "responseOutput").wire("in.who > out.result-in")
    status, answer = await call(spender, "POST", "/api/workflows", graph.body("Tiny"))
    assert status == 201, answer
    return str(answer["slug"])


class Probe:
    """Starts a tiny run on an account 20 times a second, whether or not the last was answered."""

    def __init__(self, spender: Spender, slug: str) -> None:
        self.spender = spender
        self._ask = partial(
            call,
            spender,
            "POST",
            f"/api/workflows/{slug}/run?async=true",
            {"inputs": {"who": "Ada"}},
        )
        self.answers: list[Answer] = []
        self.ids: dict[str, float] = {}
        """Accepted executions, and their times."""
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self, seconds: float = 0.05) -> AsyncIterator["Probe"]:
        """Start a run each so many seconds while the context lasts."""
        ticking = asyncio.create_task(self._tick(seconds))
        try:
            yield self
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, *self._tasks, return_exceptions=True)

    def accepted_after(self, moment: float) -> float | None:
        """Return when the first run that was sent after a moment was accepted, None if not yet."""
        found = (
            each.answered for each in self.answers if each.sent >= moment and each.status == 202
        )
        return min(found, default=None)

    async def _tick(self, seconds: float) -> None:
        while True:
            task = asyncio.create_task(self._start())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(seconds)

    async def _start(self) -> None:
        sent = time.monotonic()
        status, answer = await self._ask()
        if status == 202:
            self.ids[answer["executionId"]] = time.monotonic()
        code = str(answer.get("code", ""))
        self.answers.append(
            Answer(kind="probe", sent=sent, answered=time.monotonic(), status=status, code=code)
        )
