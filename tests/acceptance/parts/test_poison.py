"""A node that kills its worker each time that it runs, beside runs of others."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.callers import Caller, make_caller, p95, save
from tests.support.acceptance.connections import owner_of
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.factories import http_fan
from tests.support.http.target import Stub, stub_server

DEATHS = 3
WORKERS = 2
RUNS_ALONE = 200
POISON = "/poison?n=0"

Record = Callable[[str, object], None]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    options = ("--no-demo", "--workers", str(WORKERS))
    with running(tmp_path, *options, HEADRACE_ALLOW_PRIVATE_URLS="1") as started:
        until(lambda: started.part("worker"), lambda found: len(found) == WORKERS)
        yield started


def begin_poison(stack: RunningStack, server: Stub, key: str) -> str:
    slug = save(stack, key, "Poison", http_fan(f"{server.url}/poison", 1).body())
    path = f"{stack.url}/api/workflows/{slug}/run?async=true"
    return str(call("POST", path, key=key, body={"inputs": {}})[1]["executionId"])


def poison(stack: RunningStack, server: Stub, key: str) -> tuple[str, list[float]]:
    """Kill each worker that runs the node.

    Return the execution, and the seconds until there was another worker.
    """
    times, held = [], server.hold("poison")
    execution_id = begin_poison(stack, server, key)
    for _ in range(DEATHS):
        victim = owner_of(held.await_reached(), stack.part("worker"))
        held = server.hold("poison")
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        until(
            lambda: stack.part("worker"),
            lambda now, gone=victim: len(now) == WORKERS and gone not in now,
        )
        times.append(time.monotonic() - killed)
    return execution_id, times


@pytest.mark.F33
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_node_that_kills_its_workers_fails_and_others_go_on(
    stack: RunningStack, record_property: Record
) -> None:
    _, key = make_caller(stack, "poisoner")
    _, other = make_caller(stack, "neighbour")
    with closing(Caller(stack, save(stack, other, "Greeting"), other)) as neighbour:
        alone = neighbour.times(lambda count: count < RUNS_ALONE)
        with stub_server() as server, ThreadPoolExecutor() as pool:
            killing = pool.submit(poison, stack, server, key)
            beside = neighbour.times(lambda count: not killing.done())
            execution_id, restarts = killing.result()
            run = ended(stack, key, execution_id)

    assert run["status"] == "failed", run
    assert run["nodes"][0]["error"]["code"] == "worker_lost", run
    assert server.counts[POISON] == DEATHS
    assert stack.process.poll() is None, "the supervisor lives"
    checked = stack.command("ledger", "check", "--json")
    assert checked.returncode == 0, checked.stdout
    record_property("kills", DEATHS)
    record_property("restart_seconds_at_most", max(restarts))
    record_property("runs_of_others", len(beside))
    record_property("p95_seconds_alone", p95(alone))
    record_property("p95_seconds_beside", p95(beside))


def ended(stack: RunningStack, key: str, execution_id: str) -> Any:
    url = f"{stack.url}/api/executions/{execution_id}"
    return until(lambda: call("GET", url, key=key)[1], lambda run: run["completedAt"])
