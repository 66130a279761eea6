"""Runs of every kind at gateways of several hosts, and the hosts that made their calls."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import httpx2
from aiohttp import web

from tests.support.acceptance.versions.load import PRICE, TERMINAL, Run, VersionLoad, calling
from tests.support.factories import Graph
from tests.support.graphs import nested_graphs
from tests.support.hosts.installation import MODEL
from tests.support.http.scripted_server import Target

PATIENCE_SECONDS = 150.0
"""Longer than any cut, with the time to go on after it."""
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 20.0
"""Of callers: at a host that is cut off they are not refused."""
ALONE_SECONDS = 5.0
ITEMS = 3
LARGE_BYTES = 300_000
"""Outputs of over 256 KiB are kept in the media store."""
HELD_SECONDS = 6.0
"""Longer than a lease, so that a run which another worker goes on with is seen to do so."""


class Call(NamedTuple):
    """A call that a run has made. `at` is of the monotonic clock."""

    at: float
    address: str
    path: str


class TimedTarget(Target):
    """Target that remembers the time and the host of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Call] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a call by its path."""
        self.made.append(Call(time.monotonic(), request.remote or "", request.path_qs))
        return await super().answer(request)

    def calls_of(self, path: str) -> list[Call]:
        """Return the calls of a path, the first one first."""
        return [each for each in self.made if each.path == path]

    def first_of(self, address: str, after: float) -> float | None:
        """Return when a host made a call for the first time after a moment."""
        times = (each.at for each in self.made if each.address == address and each.at > after)
        return min(times, default=None)


def modelling(model: str) -> Graph:
    """Return a call of a model with the input."""
    graph = Graph("id").node("m", "customModel", model=model).node("out", "responseOutput")
    return graph.wire("in.id > m.prompt-in", "m.text-out > out.result-in")


def waiting() -> Graph:
    """Return a delay of two seconds before the output."""
    graph = Graph("id").node("d", "delay", seconds=2).node("out", "responseOutput")
    return graph.wire("in.id > d.value-in", "d.value-out > out.result-in")


def each_item() -> Graph:
    """Return a child for each of some items, which calls a model."""
    body = modelling("echo")
    graph = Graph("id").node("l", "list", items=[{"value": f"item {n}"} for n in range(ITEMS)])
    graph.node("each", "forEach", body=nested_graphs.body_of(body)).node("out", "responseOutput")
    return graph.wire("l.items-out > each.id", "each.results-out > out.result-in")


class HostsLoad(VersionLoad):
    """Callers of one account at gateways of several hosts."""

    own_kinds = ()  # a request that was cut off may change a workflow after later ones

    def __init__(
        self,
        urls: Callable[[], Sequence[str]],
        key: str,
        target_url: str,
        seed: int = 1,
        held_seconds: float = HELD_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        timeout = httpx2.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        super().__init__(urls, key, target_url, seed, patience=PATIENCE_SECONDS, timeout=timeout)
        self._silent: dict[str, float] = {}
        """Times at which gateways did not answer."""
        self._places = {
            "held": f"slow/{held_seconds}",
            "short": "slow/0.2",
            "large": f"large/{LARGE_BYTES}",
        }
        self._graphs |= {
            "model": modelling(MODEL),
            "wait": waiting(),
            "each": each_item(),
            "large": calling(f"{target_url}/{self._places['large']}"),
            "held": calling(f"{target_url}/{self._places['held']}"),
            "short": calling(f"{target_url}/{self._places['short']}"),
        }
        self.kinds: tuple[str, ...] = ()
        """Kinds of runs that callers make; empty: all."""

    async def begin(self) -> None:
        """Save the workflows, at any gateway."""
        await super().begin()
        graph = nested_graphs.calling(self._slugs["greet"])
        self._slugs["child"] = await self.save("child", graph)
        self._slugs["heavy"] = self._slugs["greet"]

    def note_silence(self, url: str) -> None:
        """Leave a gateway alone for a while, as a proxy does with one that does not answer."""
        self._silent[url] = time.monotonic()

    def _choose(self) -> str:
        since = time.monotonic() - ALONE_SECONDS
        urls = [url for url in self._urls() if self._silent.get(url, since) <= since]
        return self._rng.choice(urls or self._urls())

    def list_kinds(self) -> list[str]:
        """Return the kinds of runs that callers make."""
        return list(self.kinds or MIXED)

    def new_run(self, kind: str) -> Run:
        """Return a run in the background that is still to be accepted."""
        run = self._new(kind, waits=False)
        self._expect(run)
        return run

    async def accept(self, kind: str, url: str | None = None) -> Run:
        """Begin a run in the background, at a gateway if one is named; return it."""
        run = self.new_run(kind)
        headers = {"Idempotency-Key": run.key}
        status, answer = await self.ask("POST", self._path(run), self._inputs(run), url, **headers)
        assert status == 202, (run, answer)
        run.execution_id = answer["executionId"]
        return run

    async def time_runs(self, url: str, seconds: float) -> list[float]:
        """Make small runs at one gateway, one after another; return the seconds of each."""
        times, ends_at = list[float](), time.monotonic() + seconds
        while time.monotonic() < ends_at:
            run = self._new("greet", waits=True)
            self._expect(run)
            began = time.monotonic()
            path = self._path(run).partition("?")[0]
            headers = {"Idempotency-Key": run.key}
            status, answer = await self.ask("POST", path, self._inputs(run), url, **headers)
            assert (status, answer["result"]) == (200, run.result), answer
            run.execution_id, run.ended = answer["executionId"], time.monotonic()
            times.append(run.ended - began)
            await asyncio.sleep(0.05)
        return times

    async def end_at(self, run: Run, url: str) -> str:
        """Wait for the end of a run as one gateway tells it; return its status."""
        while (found := await self.read(run.execution_id, url))["status"] not in TERMINAL:
            await asyncio.sleep(0.1)
        run.ended = time.monotonic()
        return str(found["status"])

    async def try_to_accept(self, run: Run, url: str) -> int:
        """Ask a gateway once to begin a run; return the status, 0 for no answer."""
        try:
            answer = await self._client.request(
                "POST",
                url + self._path(run),
                json=self._inputs(run),
                headers={"Idempotency-Key": run.key},
            )
        except httpx2.TransportError:
            return 0
        if answer.status_code == 202:
            run.execution_id = answer.json()["executionId"]
        return answer.status_code

    def _path(self, run: Run) -> str:
        return f"/api/workflows/{self._slugs[run.kind]}/run?async=true"

    async def await_end(self, run: Run) -> None:
        """Wait for the end of a run in the background."""
        await self._await_end(run)
        run.ended = time.monotonic()

    def path_of(self, run: Run) -> str:
        """Return path and query of the call that a run makes."""
        return f"/{self._places[run.kind]}/{run.name}?n=7"

    async def _make(self, kind: str, own: str) -> None:
        if kind == "batch":
            await self._batch()
        else:
            await super()._make(kind, own)

    def _expected(self, run: Run) -> tuple[Any, int]:
        match run.kind:
            case "model":
                return {"text": f"(stub) {run.name}"}, PRICE
            case "wait":
                return run.name, 0
            case "each":
                return [f"item {number}" for number in range(ITEMS)], PRICE * ITEMS
            case "large":
                return "x" * LARGE_BYTES, 0
            case "child":
                return f"Hello {run.name}", 0
            case "heavy":
                return {"text": f"Hello {_heavy(run)}"}, 0
            case "held" | "short":
                return {"n": 7, "kind": "slow"}, 0
        return super()._expected(run)

    def _expect(self, run: Run) -> None:
        run.result, run.cost = self._expected(run)
        if run.kind == "large":
            run.statuses = frozenset({"completed", "failed"})

    def _inputs(self, run: Run) -> dict[str, Any]:
        if run.kind == "child":
            return {"inputs": {"who": run.name}}
        if run.kind == "heavy":
            return {"inputs": {"who": _heavy(run)}}
        return super()._inputs(run)

    async def _batch(self) -> None:
        """Run a greeting for some items, each of which is a run that tells nobody of its end."""
        runs = [self._new("greet", waits=True) for _ in range(ITEMS)]
        for run in runs:
            self._expect(run)
        path = f"/api/workflows/{self._slugs['greet']}/batch"
        body = {"items": [self._inputs(run) for run in runs]}
        headers = {"Idempotency-Key": f"batch-{runs[0].key}"}
        status, answer = await self.ask("POST", path, body, **headers)
        assert status == 202, answer
        batch_id = answer["batchId"]
        deadline = time.monotonic() + self._patience
        while (await self._read_batch(batch_id))["status"] == "processing":
            assert time.monotonic() < deadline, batch_id
            await asyncio.sleep(0.2)
        rows = await self.ask("GET", f"/api/executions?batchId={batch_id}&limit=100")
        found = {row["batchIndex"]: row["executionId"] for row in rows[1]["rows"]}
        for number, run in enumerate(runs):
            run.execution_id, run.ended = found[number], time.monotonic()

    async def _read_batch(self, batch_id: str) -> dict[str, Any]:
        status, answer = await self.ask("GET", f"/api/batches/{batch_id}")
        assert status == 200, answer
        return dict(answer)


def _heavy(run: Run) -> str:
    return run.name.ljust(LARGE_BYTES, "x")


MIXED = (
    *("greet", "call", "retry", "delay", "fail", "cancel", "list", "compute"),
    *("model", "wait", "each", "large", "child", "batch"),
)
"""Kinds of runs of a mixed load."""
