"""The limit on the bytes of a run holds for a root and all its children together."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import body_of
from tests.support.http.scripted_server import Target
from workers.main import worker
from workers.walk.walker import Walker

BUDGET = 4_000_000
ITEM_BYTES = 300_000
"""Bytes of each answer, of which a child gives the length alone."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_run_bytes=BUDGET, cpu_slots=1)


@pytest.fixture
async def walker(settings: Settings) -> AsyncIterator[Walker]:
    async with worker(settings) as walker:
        yield walker


def lengths(url: str, items: int, **data: object) -> Graph:
    """The length of a large answer for each item, one after the other."""
    body = Graph("row").node("call", "httpRequest", url=f"{url}/large/{ITEM_BYTES}?n={{{{ n }}}}")
    body.node("size", "transform", expression="size(value)").node("out", "responseOutput")
    body.wire("in.row > call.n", "call.response-out > size.value-in")
    body.wire("size.value-out > out.result-in")
    graph = Graph().node("rows", "list", items=[{"value": str(each)} for each in range(items)])
    graph.node("each", "forEach", body=body_of(body), concurrency=1, **data)
    graph.node("out", "responseOutput")
    return graph.wire("rows.items-out > each.row", "each.results-out > out.result-in")


@pytest.mark.usefixtures("walker")
async def test_children_that_are_small_together_fit(runner: Runner, target: Target) -> None:
    execution = await runner.run(lengths(target.url, 5))

    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert execution.result == [ITEM_BYTES] * 5


@pytest.mark.usefixtures("walker")
async def test_a_child_with_which_the_run_is_too_large_fails(
    runner: Runner, target: Target
) -> None:
    execution = await runner.run(lengths(target.url, 30))

    assert execution.error is not None
    assert execution.error["nodeCode"] == "run_too_large"
    assert sum(target.calls.values()) < 1.2 * BUDGET / ITEM_BYTES
