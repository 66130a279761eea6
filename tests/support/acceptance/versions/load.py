"""Callers of every kind at gateways of two releases, and the end that each run must have."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph, greeting

TERMINAL = frozenset({"completed", "failed", "cancelled"})
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
"""Header of all calls: 0.2.0 ignores it, and walks executions that have it on record."""
PRICE = 11
"""Credits for one call of `echo`, 0.010 USD, for an Enterprise account, whose markup is 1.1."""
TRY_AGAIN = (408, 503)
"""Statuses of a gateway that stops, or whose machine is too busy to read a request in time."""
ITEMS = 3
FAILURES = {"fail": "http_status", "compute": "resource_exhausted", "large": "storage_error"}
"""Code of a failed node by kind of run. Expressions need child processes, which a machine that is
too busy does not start in time, whatever the release; large outputs need the media store."""
NOWHERE = "http://127.0.0.1:9"
RETRY = {"attempts": 5, "backoff": 0.05}
LATER = {"attempts": 5, "backoff": 1.3}
"""The next attempt is too far away for a walk that waits: the execution is left and due later."""


@dataclass(kw_only=True)
class Run:
    """One run that a caller wanted, whatever processes died meanwhile."""

    name: str
    kind: str
    key: str
    """Idempotency key of all its requests."""
    waits: bool
    result: Any = None
    statuses: frozenset[str] = frozenset({"completed"})
    cost: int = 0
    execution_id: str = ""
    was_unanswered: bool = False
    """A gateway has broken a wait off, or left it, so that the key's webhook may be told too."""
    answered_by: str = ""
    """URL of the gateway that answered a wait."""
    began: float = field(default_factory=time.monotonic)
    accepted: float = 0.0
    ended: float = 0.0
    """Times of the monotonic clock at which its caller wanted it, knew its id, and knew its end."""


def calling(url: str, **data: Any) -> Graph:
    """Return a call whose path ends with the input."""
    graph = Graph("id").node("h", "httpRequest", url=f"{url}/{{{{id}}}}?n=7", **data)
    graph.node("out", "responseOutput")
    return graph.wire("in.id > h.id", "h.response-out > out.result-in")


def listing() -> Graph:
    """Return a model that is called for each item of a list."""
    items = [{"value": f"item {number}"} for number in range(ITEMS)]
    graph = Graph("id").node("l", "list", items=items).node("m", "customModel", model="echo")
    graph.node("t", "textBox", text="{{ id }}: {{ a }}").node("out", "responseOutput")
    return graph.wire(
        *("l.items-out > m.prompt-in", "m.text-out > t.a", "in.id > t.id"),
        "t.text-out > out.result-in",
    )


def computing() -> Graph:
    """Return two expressions and a branch."""
    graph = Graph("id").node("t", "transform", expression="value + '!'")
    graph.node("c", "condition", expression="size(value) > 1").node("out", "responseOutput")
    return graph.wire(
        "in.id > t.value-in", "t.value-out > c.value-in", "c.true-out > out.result-in"
    )


def saying(word: str) -> Graph:
    """Return a text of one version."""
    graph = Graph("id").node("t", "textBox", text=word + " {{ id }}").node("out", "responseOutput")
    return graph.wire("in.id > t.id", "t.text-out > out.result-in")


class VersionLoad:
    """Callers of one account, each of which makes one run after another."""

    own_kinds: tuple[str, ...] = ("author", "draft")
    """Kinds of runs of a workflow that each caller has and changes."""

    def __init__(
        self,
        urls: Callable[[], Sequence[str]],
        key: str,
        target_url: str,
        seed: int | str = 1,
        *,
        patience: float = PATIENCE_SECONDS,
        timeout: httpx2.Timeout | float = 30,
    ) -> None:
        self._urls = urls
        self._patience = patience
        headers = {"x-api-key": key, "traceparent": TRACEPARENT}
        self._client = httpx2.AsyncClient(headers=headers, timeout=timeout)
        self._rng = random.Random(seed)
        self._numbers = itertools.count()
        self._slugs: dict[str, str] = {}
        self._is_over = False
        self.runs: list[Run] = []
        url = target_url
        self._graphs = {
            "greet": greeting(),
            "call": calling(f"{url}/echo", method="POST"),
            "retry": calling(f"{url}/flaky/1", retry=RETRY),
            "delay": calling(f"{url}/flaky/1/later", retry=LATER),
            "fail": calling(f"{url}/status/404"),
            "cancel": calling(f"{url}/slow/1"),
            "list": listing(),
            "compute": computing(),
        }

    # -- saving -----------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Save the workflows, at any gateway."""
        for kind, graph in self._graphs.items():
            self._slugs[kind] = await self.save(kind, graph)

    async def save(self, name: str, graph: Graph) -> str:
        status, answer = await self.ask("POST", "/api/workflows", graph.body(name))
        assert status == 201, answer
        return str(answer["slug"])

    def list_kinds(self) -> list[str]:
        """Return the kinds of runs that callers make."""
        return [*self._graphs, *self.own_kinds]

    # -- calling ----------------------------------------------------------------------------------

    async def go_on(self, callers: int, until: Awaitable[None]) -> None:
        """Let callers make runs until something is over, each at least one of every kind."""
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(self._call(number))
            await until
            self._is_over = True

    async def _call(self, caller: int) -> None:
        own = await self.save(f"Own {caller}", saying("Version 0")) if self.own_kinds else ""
        kinds = self.list_kinds()
        self._rng.shuffle(kinds)
        for number in itertools.count():
            if self._is_over and number >= len(kinds):
                return
            await self._make(kinds[number % len(kinds)], own)

    async def _make(self, kind: str, own: str) -> None:
        match kind:
            case "cancel":
                await self._cancel()
            case "author":
                await self._author(own)
            case "draft":
                await self._draft(own)
            case _:
                await self._run_plain(kind)

    def _new(self, kind: str, **members: Any) -> Run:
        number = next(self._numbers)
        waits = members.pop("waits", self._rng.random() < 0.5)
        run = Run(name=f"r{number}", kind=kind, key=f"key-{number}", waits=waits, **members)
        self.runs.append(run)
        return run

    async def _run_plain(self, kind: str) -> None:
        run = self._new(kind)
        run.result, run.cost = self._expected(run)
        if kind in FAILURES:
            run.statuses = frozenset({"failed"} if kind == "fail" else {"completed", "failed"})
        await self._run(run, f"/api/workflows/{self._slugs[kind]}/run")

    def _expected(self, run: Run) -> tuple[Any, int]:
        match run.kind:
            case "greet":
                return {"text": f"Hello {run.name}"}, 0
            case "list":
                answers = ",".join(f'"item {number}"' for number in range(ITEMS))
                return {"text": f"{run.name}: [{answers}]"}, PRICE * ITEMS
            case "compute":
                return f"{run.name}!", 0
            case "fail":
                return None, 0
        return {"n": 7, "kind": "echo" if run.kind == "call" else "flaky"}, 0

    async def _cancel(self) -> None:
        run = self._new("cancel", waits=False, statuses=frozenset({"cancelled", "completed"}))
        run.result = {"n": 7, "kind": "slow"}
        await self._accept(run, f"/api/workflows/{self._slugs['cancel']}/run")
        await asyncio.sleep(self._rng.random())
        status, answer = await self.ask("POST", f"/api/executions/{run.execution_id}/cancel")
        assert status in (202, 409), answer
        await self._await_end(run)

    async def _author(self, own: str) -> None:
        """Save a version at one gateway and run it at another at once."""
        run = self._new("author")
        word = f"Version {run.name}"
        status, answer = await self.ask("PUT", f"/api/workflows/{own}", saying(word).body("Own"))
        assert status == 200, answer
        run.result = {"text": f"{word} {run.name}"}
        await self._run(run, f"/api/workflows/{own}/run")

    async def _draft(self, own: str) -> None:
        run = self._new("draft")
        word = f"Draft {run.name}"
        body = saying(word).body("Own")
        status, answer = await self.ask("PUT", f"/api/workflows/{own}/draft", body)
        assert status == 200, answer
        run.result = {"text": f"{word} {run.name}"}
        await self._run(run, f"/api/workflows/{own}/draft/run")

    # -- one run ----------------------------------------------------------------------------------

    def _inputs(self, run: Run) -> dict[str, Any]:
        return {"inputs": {"who" if run.kind == "greet" else "id": run.name}}

    async def _run(self, run: Run, path: str) -> None:
        if run.waits:
            await self._run_waiting(run, path)
        else:
            await self._accept(run, path)
            await self._await_end(run)
        run.ended = time.monotonic()

    async def _run_waiting(self, run: Run, path: str) -> None:
        headers = {"Idempotency-Key": run.key}
        status, answer = await self.ask("POST", path, self._inputs(run), run=run, **headers)
        run.execution_id = answer.get("executionId", "")
        assert run.execution_id, (run, status, answer)
        run.accepted = time.monotonic()
        if status in (202, 409):  # its gateway stops or is gone, and the run goes on
            run.was_unanswered = True
            await self._await_end(run)
        elif status == 200:
            assert answer["result"] == run.result, (run, answer)
        else:
            assert (status, answer["nodeCode"]) == (500, FAILURES.get(run.kind)), (run, answer)

    async def _accept(self, run: Run, path: str) -> None:
        headers = {"Idempotency-Key": run.key}
        path = f"{path}?async=true"
        status, answer = await self.ask("POST", path, self._inputs(run), **headers)
        assert status == 202, (run, answer)
        run.execution_id = answer["executionId"]
        run.accepted = time.monotonic()

    async def _await_end(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            found = await self.read(run.execution_id)
            assert found.get("traceId") in (None, TRACE_ID), (run, found)
            if found["status"] in TERMINAL:
                return
            assert loop.time() < deadline, (run, found)
            await asyncio.sleep(0.1)

    async def read(self, execution_id: str, url: str | None = None) -> dict[str, Any]:
        """Return an execution as some gateway, or that at an address, shows it."""
        status, answer = await self.ask("GET", f"/api/executions/{execution_id}", url=url)
        assert status == 200, (execution_id, answer)
        return dict(answer)

    async def list_ids(self, url: str | None = None) -> list[str]:
        """Return the ids of all executions, as they are listed."""
        ids: list[str] = []
        cursor = ""
        while True:
            status, page = await self.ask("GET", f"/api/executions?limit=100{cursor}", url=url)
            assert status == 200, page
            ids += [row["executionId"] for row in page["rows"]]
            if not page.get("nextCursor"):
                return ids
            cursor = f"&cursor={page['nextCursor']}"

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        url: str | None = None,
        run: Run | None = None,
        **headers: str,
    ) -> tuple[int, Any]:
        """Send a request, for a run or not, to another gateway when one is gone or cannot serve."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            chosen = url or self._choose()
            try:
                answer = await self._client.request(
                    method, chosen + path, json=body, headers=headers
                )
                if answer.status_code not in TRY_AGAIN:
                    if run is not None:
                        run.answered_by = chosen
                    return answer.status_code, answer.json() if answer.content else {}
                seen: object = answer.text
            except httpx2.TransportError as error:
                seen = error
                self.note_silence(chosen)
                if run is not None:
                    run.was_unanswered = True
            assert loop.time() < deadline, (method, path, seen)
            await asyncio.sleep(0.05)

    async def ask_once(
        self, method: str, path: str, body: Any, url: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a request to the gateway at an address; return what it answers, a refusal too."""
        answer = await self._client.request(method, url + path, json=body)
        return answer.status_code, answer.json()

    async def store_asset(
        self, content: bytes, content_type: str, url: str
    ) -> tuple[int, dict[str, Any]]:
        """Store an asset at the gateway at an address; return what it answers."""
        headers = {"Content-Type": content_type}
        answer = await self._client.post(f"{url}/api/assets", content=content, headers=headers)
        return answer.status_code, answer.json()

    def _choose(self) -> str:
        """Return the URL of some gateway, else one at which nobody answers."""
        return self._rng.choice(self._urls() or [NOWHERE])

    def note_silence(self, url: str) -> None:
        """Hear that a gateway did not answer."""

    async def close(self) -> None:
        await self._client.aclose()
