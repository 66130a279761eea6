"""Workers, gateways and Redis killed while a run goes through a list: each item runs once."""

import asyncio
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack, kill_and_await, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import per_item
from tests.support.http.scripted_server import serving
from tests.support.workers.paying_account import PRICE

PARTS = ("worker", "redis", "gateway")
CONCURRENCY = 4
BEFORE_KILL = 4
"""Items that end between two kills."""
FAILS_EVERY = 7


def call_then_model() -> Graph:
    """A call of an address that is the item, then one of a model that costs credits."""
    graph = Graph("who").node("call", "httpRequest", url="{{ who }}")
    graph.node("text", "textBox", text="{{ answer }}")
    graph.node("one", "customModel", model="echo").node("out", "responseOutput")
    graph.wire("in.who > call.who", "call.response-out > text.answer")
    graph.wire("text.text-out > one.prompt-in")
    return graph.wire("one.text-out > out.result-in")


def address(url: str, number: int) -> str:
    kind = "status/404" if _fails(number) else "slow/0.5"
    return f"{url}/{kind}?n={number}"


def _fails(number: int) -> bool:
    return number % FAILS_EVERY == 3


class ListRun:
    """One run over a list, over HTTP, with the calls repeated that meet a killed part."""

    def __init__(self, caller: BatchCaller, url: str, items: int) -> None:
        self._caller = caller
        self.items = items
        slug = caller.save("Each", per_item(call_then_model(), **SETTINGS))
        inputs = {"items": [address(url, number) for number in range(items)]}
        body = {"inputs": inputs}
        self.id = caller.ask("POST", f"/api/workflows/{slug}/run?async=true", body)["executionId"]

    def get(self) -> dict[str, Any]:
        """Return the execution."""
        found: dict[str, Any] = self._caller.ask("GET", f"/api/executions/{self.id}")
        return found

    def counts(self) -> dict[str, int]:
        """Return the numbers of children by status; none before the node begins."""
        [node] = [each for each in self.get()["nodes"] if each["id"] == "each"]
        return node.get("childStatuses") or {}

    def ended(self) -> int:
        """Return the number of children that have ended."""
        counts = self.counts()
        assert counts.get("processing", 0) <= CONCURRENCY
        return counts.get("completed", 0) + counts.get("failed", 0)

    def children(self) -> list[dict[str, Any]]:
        """Return the rows of all children."""
        rows: list[dict[str, Any]] = []
        cursor = ""
        where = f"parentId={self.id}&parentNodeId=each&limit=100"
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            page = self._caller.ask("GET", f"/api/executions?{where}{more}")
            rows += page["rows"]
            if not (cursor := page["nextCursor"] or ""):
                return rows


SETTINGS = {"concurrency": CONCURRENCY, "onItemError": "null"}


def kill_parts(stack: RunningStack, run: ListRun, kills: int) -> None:
    """Kill the parts in turn, each time after some more items have ended."""
    which = random.Random(7)
    for part in itertools.islice(itertools.cycle(PARTS), kills):
        least = run.ended() + BEFORE_KILL
        until(run.ended, lambda ended, least=least: ended >= least)
        kill_and_await(stack, part, which)


def check_results(run: ListRun, ended: dict[str, Any]) -> None:
    """Check the result by the rules of `forEach`, for items that name their number."""
    assert ended["status"] == "completed", ended
    failed = [number for number in range(run.items) if _fails(number)]
    results = ended["result"]["results"]
    assert len(results) == run.items
    assert [n for n, value in enumerate(results) if value is None] == failed
    for number, value in enumerate(results):
        assert value is None or f'"n":{number},' in value, (number, value)
    errors = ended["result"]["errors"]
    assert [each["index"] for each in errors] == failed
    assert {each["code"] for each in errors} == {"http_status"}


def check_books(run: ListRun, ended: dict[str, Any]) -> None:
    """Check that each item has one child, and that each is charged once."""
    rows = run.children()
    assert [row["childIndex"] for row in rows] == list(range(run.items))
    assert len({row["executionId"] for row in rows}) == run.items
    for row in rows:
        fails = _fails(row["childIndex"])
        assert row["status"] == ("failed" if fails else "completed")
        assert row["creditsCost"] == (0 if fails else PRICE)
    assert ended["creditsCost"] == sum(row["creditsCost"] for row in rows)


async def run_with_kills(folder: Path, *, items: int, kills: int) -> None:
    """Run over a list while parts are killed, and check what is left."""
    options = ("--no-demo", "--workers", "2", "--gateways", "1")
    environ = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
    async with serving() as target:

        def work() -> None:
            with running(folder, *options, **environ) as stack:
                run = ListRun(BatchCaller(stack, "lister", tier="pro"), target.url, items)
                kill_parts(stack, run, kills)
                assert run.get()["status"] == "processing"
                ended = until(run.get, lambda each: each["status"] != "processing", timeout=300)
                check_results(run, ended)
                check_books(run, ended)
                checked = stack.command("ledger", "check", "--json")
                assert checked.returncode == 0, json.loads(checked.stdout)

        await asyncio.to_thread(work)


async def test_each_item_runs_once_although_each_part_was_killed(tmp_path: Path) -> None:
    await run_with_kills(tmp_path, items=120, kills=3)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_item_runs_once_however_often_parts_are_killed(tmp_path: Path) -> None:
    await run_with_kills(tmp_path, items=500, kills=20)
