"""Pace of another account's runs beside long lists."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.callers import Caller, make_caller, p95, save
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import per_item


def transformed() -> Graph:
    """A text that an expression makes, for which a child process is asked."""
    graph = Graph("who").node("t", "transform", expression="'Hello ' + value")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > t.value-in", "t.value-out > out.result-in")


def run_list(lister: BatchCaller, slug: str, items: int) -> None:
    """Run over a list and wait for the end."""
    inputs = {"items": [f"number {index}" for index in range(items)]}
    path = f"/api/workflows/{slug}/run?async=true"
    execution_id = lister.ask("POST", path, {"inputs": inputs})["executionId"]

    def get() -> dict[str, Any]:
        found: dict[str, Any] = lister.ask("GET", f"/api/executions/{execution_id}")
        return found

    ended = until(get, lambda each: each["status"] != "processing", timeout=300)
    assert ended["status"] == "completed", ended
    assert len(ended["result"]["results"]) == items


def beside(stack: RunningStack, body: Callable[[], Graph], items: int) -> tuple[float, float]:
    """Return the p95 of a caller alone and beside lists, which begin again until it has enough."""
    lister = BatchCaller(stack, "lister")
    slug = lister.save("List", per_item(body(), concurrency=100))
    _, key = make_caller(stack, "light")
    with closing(Caller(stack, save(stack, key, "Light"), key)) as caller:
        caller.times(lambda made: made < 100)
        alone = caller.times(lambda made: made < 300)
        over = threading.Event()

        def work() -> None:
            run_list(lister, slug, items)
            over.set()

        worker = threading.Thread(target=work)
        worker.start()
        while_listed = caller.times(lambda _: not over.is_set())
        worker.join()
    assert over.is_set()
    return p95(alone), p95(while_listed)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("body", [greeting, transformed])
def test_long_lists_leave_others_their_pace(tmp_path: Path, body: Callable[[], Graph]) -> None:
    with running(tmp_path, "--no-demo", "--workers", "2") as stack:
        alone, listed = beside(stack, body, 10_000)

    print(f"p95 of another account's runs alone {alone * 1000:.2f} ms, ", end="")
    print(f"beside 10,000 items {listed * 1000:.2f} ms")
    assert listed <= max(0.05, 3 * alone)


@pytest.mark.A91m
@pytest.mark.thorough
@pytest.mark.parametrize("body", [greeting, transformed])
def test_a_run_does_not_wait_for_a_list_before_it(
    tmp_path: Path, body: Callable[[], Graph]
) -> None:
    """With a limit that holds on a machine that is busy with other tests."""
    with running(tmp_path, "--no-demo", "--workers", "2") as stack:
        alone, listed = beside(stack, body, 600)

    assert listed < max(0.25, 10 * alone)
