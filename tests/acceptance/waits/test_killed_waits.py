"""All processes killed while runs wait for times and for people: each run goes on once."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from deploy.net.http_client import call
from engine.store.waits.keys import waits
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph
from tests.support.http.scripted_server import serving

OPTIONS = ("--no-demo", "--workers", "2", "--gateways", "1")
ENVIRON = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
CONCURRENCY = 100
DELAY_SECONDS = 30
"""Time of the delays, longer than the first stack lives with them."""
PATIENCE_SECONDS = 240


def asking(url: str) -> Graph:
    """Approval of a number → a call with it, on one way or the other → output."""
    graph = Graph("who").node("ask", "approval", title="{{ who }}").node("out", "responseOutput")
    graph.wire("in.who > ask.who", "in.who > ask.value-in")
    for way in ("approved", "refused"):
        graph.node(way, "httpRequest", url=f"{url}/{way}?n={{{{ n }}}}")
        graph.wire(f"ask.{way}-out > {way}.n", f"{way}.response-out > out.result-in")
    return graph


def delayed(url: str) -> Graph:
    """Delay until a moment → a call with a number → output."""
    graph = Graph("who", "at").node("wait", "delay").node("out", "responseOutput")
    graph.wire("in.at > wait.until-in", "in.who > wait.value-in")
    graph.node("call", "httpRequest", url=f"{url}/delayed?n={{{{ n }}}}")
    return graph.wire("wait.value-out > call.n", "call.response-out > out.result-in")


class Waiter:
    """Account whose runs wait, on the stack that serves at the time."""

    def __init__(self, stack: RunningStack, url: str, runs: int) -> None:
        self.stack, self.runs, caller = stack, runs, BatchCaller(stack, "waiter")
        self.account_id = caller.account_id
        capabilities = ("execution:read", "execution:approve")
        words = [word for name in capabilities for word in ("--capability", name)]
        made = json_of(stack, "key", "create", "--account", self.account_id, *words)
        self._key = str(made["key"])
        self.batches = [caller.start(caller.save("Asking", asking(url)), runs, CONCURRENCY)]
        slug = caller.save("Delayed", delayed(url))
        self.at = datetime.now(UTC) + timedelta(seconds=DELAY_SECONDS)
        at = self.at.isoformat().replace("+00:00", "Z")
        items = [{"inputs": {"who": str(number), "at": at}} for number in range(runs)]
        body = {"items": items, "concurrency": CONCURRENCY}
        answer = caller.ask("POST", f"/api/workflows/{slug}/batch", body)
        self.batches.append(answer["batchId"])

    def waiting(self) -> int:
        """Return the number of runs that wait."""
        with Redis.from_url(self.stack.redis_url) as redis:
            return int(redis.hlen(waits(self.account_id)))

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the API."""
        return call(method, self.stack.url + path, key=self._key, body=body)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list."""
        cursor, mark = "", "&" if "?" in path else "?"
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            _, page = self.ask("GET", f"{path}{mark}limit=200{more}")
            yield from page["rows"]
            cursor = page["nextCursor"]

    def answer(self, numbers: set[int]) -> None:
        """Approve even numbers and refuse odd ones; a second answer counts no more."""
        rows = [row for row in self.pages("/api/approvals") if int(row["title"]) in numbers]
        assert len(rows) == len(numbers)
        for row in rows:
            path = f"/api/executions/{row['executionId']}/approvals/{row['nodeId']}"
            approves = int(row["title"]) % 2 == 0
            decision = {"decision": "approve" if approves else "refuse"}
            status, answer = self.ask("POST", path, decision)
            assert status == 200, answer
            assert self.ask("POST", path, {"decision": "approve"})[0] == 409

    def completed(self, batch_id: str) -> int:
        """Return the number of completed runs of a batch; no run has failed."""
        _, batch = self.ask("GET", f"/api/batches/{batch_id}")
        assert batch["counts"]["failed"] == batch["counts"]["cancelled"] == 0, batch
        return int(batch["counts"]["completed"])

    def check_runs(self) -> None:
        """Check that there is one run for each item, which ended by the answer that it got."""
        for batch_id in self.batches:
            ids = {row["executionId"] for row in self.pages(f"/api/executions?batchId={batch_id}")}
            assert len(ids) == self.runs
            _, batch = self.ask("GET", f"/api/batches/{batch_id}")
            assert batch["status"] == "completed"
        assert self.waiting() == 0
        assert self.ask("GET", "/api/approvals")[1]["rows"] == []


def expected(runs: int) -> Counter[str]:
    """Return the calls of all runs, each once."""
    kinds = [(number, "refused" if number % 2 else "approved") for number in range(runs)]
    asked = {f"/{kind}?n={number}": 1 for number, kind in kinds}
    return Counter(asked | {f"/delayed?n={number}": 1 for number in range(runs)})


def kill_worker(stack: RunningStack) -> None:
    os.kill(stack.part("worker")[0], signal.SIGKILL)


async def wait_with_kills(folder: Path, runs: int) -> None:
    """Kill everything while all runs wait, and again when some have gone on."""
    async with serving() as target:

        def work() -> None:
            with running(folder, *OPTIONS, **ENVIRON) as stack:
                waiter = Waiter(stack, target.url, runs)
                until(waiter.waiting, lambda n: n == 2 * runs, timeout=PATIENCE_SECONDS)
                assert datetime.now(UTC) < waiter.at
            with running(folder, *OPTIONS, **ENVIRON) as waiter.stack:
                assert waiter.waiting() >= runs
                half = set(range(runs // 2))
                waiter.answer(half)
                kill_worker(waiter.stack)
                asked, delays = waiter.batches
                done = len(half)
                until(lambda: waiter.completed(asked), lambda n: n == done, timeout=60)
                until(lambda: waiter.completed(delays), lambda n: n == runs, timeout=60)
            with running(folder, *OPTIONS, **ENVIRON) as waiter.stack:
                waiter.answer(set(range(runs)) - half)
                until(lambda: waiter.completed(asked), lambda n: n == runs, timeout=60)
                waiter.check_runs()

        await asyncio.to_thread(work)
        # A worker that is killed in a call makes it again; nothing else may.
        assert set(target.calls) == set(expected(runs))
        repeated = target.calls - expected(runs)
        print(f"{2 * runs} runs waited, {repeated.total()} calls were made again")
        assert repeated.total() <= 64


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_each_run_goes_on_once_although_all_processes_were_killed(tmp_path: Path) -> None:
    await wait_with_kills(tmp_path, 20)


@pytest.mark.F57
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_five_hundred_runs_go_on_once_although_all_processes_were_killed(
    tmp_path: Path,
) -> None:
    await wait_with_kills(tmp_path, 250)
