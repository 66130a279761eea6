"""Workers, gateways and Redis killed in a batch: each item becomes one execution."""

import asyncio
import itertools
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph
from tests.support.http.scripted_server import serving

PARTS = ("worker", "redis", "gateway")
CONCURRENCY = 4
BEFORE_KILL = 4
"""Items that end between two kills."""


def call_and_model(url: str) -> Graph:
    """A call of half a second beside one of a model that costs credits."""
    graph = Graph("who").node("call", "httpRequest", url=url + "/slow/0.5?n={{ who }}")
    graph.node("one", "customModel", model="echo").node("out", "responseOutput")
    graph.wire("in.who > call.who", "in.who > one.prompt-in")
    return graph.wire("call.response-out > out.result-in", "one.text-out > out.result-in")


def kill_and_await(stack: RunningStack, kind: str, which: random.Random) -> None:
    """Kill a part and wait for its replacement."""
    before = stack.part(kind)
    killed = which.choice(before)
    os.kill(killed, signal.SIGKILL)
    until(lambda: stack.part(kind), lambda now: len(now) == len(before) and killed not in now)


def _goes_on(batch: dict[str, Any], completed: int) -> bool:
    assert batch["status"] == "processing"
    assert not batch["counts"]["failed"]
    assert batch["counts"]["processing"] <= CONCURRENCY
    return bool(batch["counts"]["completed"] >= completed)


def kill_parts(
    stack: RunningStack, caller: BatchCaller, batch_id: str, parts: Sequence[str]
) -> None:
    which = random.Random(7)
    for part in parts:
        done = caller.get(batch_id)["counts"]["completed"]
        caller.wait(batch_id, lambda batch, least=done: _goes_on(batch, least + BEFORE_KILL))
        kill_and_await(stack, part, which)


async def batch_with_kills(folder: Path, *, items: int, kills: int) -> Counter[str]:
    """Return the ends of the items of a batch in which parts were killed."""
    parts = tuple(itertools.islice(itertools.cycle(PARTS), kills))
    options = ("--no-demo", "--workers", "2", "--gateways", "1")
    environ = {"HEADRACE_ALLOW_PRIVATE_URLS": "1", "HEADRACE_LEASE_SECONDS": "2"}
    async with serving() as target:

        def work() -> Counter[str]:
            with running(folder, *options, **environ) as stack:
                caller = BatchCaller(stack, "batcher")
                slug = caller.save("Call", call_and_model(target.url))
                batch_id = caller.start(slug, items, CONCURRENCY)
                kill_parts(stack, caller, batch_id, parts)
                assert caller.get(batch_id)["status"] == "processing"
                caller.end(batch_id, seconds=300)
                ends = caller.check_books(batch_id, items)
                checked = stack.command("ledger", "check", "--json")
                assert checked.returncode == 0, json.loads(checked.stdout)
                return ends

        return await asyncio.to_thread(work)


@pytest.mark.F64
async def test_each_item_is_one_execution_although_each_part_was_killed(tmp_path: Path) -> None:
    assert await batch_with_kills(tmp_path, items=120, kills=3) == {"completed": 120}


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_each_item_is_one_execution_however_often_parts_are_killed(tmp_path: Path) -> None:
    assert await batch_with_kills(tmp_path, items=900, kills=30) == {"completed": 900}
