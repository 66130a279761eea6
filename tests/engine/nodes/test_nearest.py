"""Nearest: order, ties, its limits, and many vectors in child processes."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import node_type
from engine.nodes.retrieval import vectors
from engine.nodes.support.base import WorkKind
from engine.process.pool import Pool, compute
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample
from tests.support.process.cpu_time import cpu_time

INPUTS = {"query-in": [1, 0], "vectors-in": [[1, 1]], "items-in": ["a"]}
SAMPLES = {"nearest": NodeSample(WorkKind.CPU, "Utilities", {"k": 2}, inputs=INPUTS)}
POINTS = {
    "north": [0, 1],
    "east": [1, 0],
    "north again": [0, 2],
    "nowhere": [0, 0],
    "south": [0, -1],
}


DIMENSIONS, MANY = 384, 10_000
PATIENCE_SECONDS = 60.0


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the number of vectors of a block small, so that a few make several."""
    monkeypatch.setattr(vectors, "BLOCK_NUMBERS", 1_000)


async def nearest(query: Any, found: Any, items: Any, k: int = 5, **more: Any) -> Any:
    inputs = {"query-in": query, "vectors-in": found, "items-in": items}
    return await run_node("nearest", {"k": k}, inputs, **more)


async def test_the_nearest_items_come_first_and_equal_ones_keep_their_order() -> None:
    outputs = await nearest([0, 3], list(POINTS.values()), list(POINTS))

    assert outputs == {
        "items-out": ["north", "north again", "east", "nowhere", "south"],
        "scores-out": [1, 1, 0, 0, -1],
    }


async def test_there_are_k_of_them() -> None:
    outputs = await nearest([1, 0], list(POINTS.values()), list(POINTS), k=1)

    assert outputs == {"items-out": ["east"], "scores-out": [1]}


async def test_without_vectors_nothing_is_near() -> None:
    assert await nearest([1, 0], [], []) == {"items-out": [], "scores-out": []}


async def test_a_vector_may_be_json_as_models_give_it() -> None:
    outputs = await nearest("[1.0,0]", ["[0,1]", "[1,0]"], ["a", {"b": 1}], k=1)

    assert outputs["items-out"] == [{"b": 1}]


@pytest.mark.parametrize(
    ("query", "found", "items", "reason"),
    [
        ([1], [[1]], [], "'vectors-in' has 1 vectors, and 'items-in' 0 items"),
        ([1], {"a": 1}, [1], "'vectors-in' takes a list, not an object"),
        ([1], [[1]], "a", "'items-in' takes a list, not a text"),
        ([1], [[1, 2]], ["a"], "Vector 0 at vectors-in has 2 numbers"),
        (["a"], [[1]], ["a"], "The vector at query-in has a text at 0"),
        (None, [[1]], ["a"], "The vector at query-in must be a list of numbers, not null"),
        ([1], [[1]] * 10_001, ["a"] * 10_001, "takes at most 10,000 items, not 10,001"),
    ],
)
async def test_values_that_do_not_fit_fail_the_node(
    query: Any, found: Any, items: Any, reason: str
) -> None:
    with pytest.raises(NodeFailed) as caught:
        await nearest(query, found, items)

    assert (caught.value.code, caught.value.retryable) == ("invalid_value", False)
    assert reason in caught.value.message


@pytest.mark.parametrize("k", [0, 10_001, 1.5, "2"])
def test_a_k_that_is_no_number_of_items_is_refused(k: Any) -> None:
    kind = node_type("nearest")
    assert kind is not None

    with pytest.raises(SettingsError, match="k must be a whole number from 1 to 10000"):
        kind.parse({"k": k})


class Counted(FakeContext):
    """Counts the vectors that child processes get, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[int] = []

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        self.parts.append(len(args[1]))
        return function(*args)


@pytest.mark.usefixtures("small_blocks")
async def test_many_vectors_are_scored_in_child_processes_part_by_part() -> None:
    context, found = Counted(), [[position, 1] for position in range(1_200)]

    outputs = await nearest([1, 0], found, list(range(1_200)), k=2, context=context)

    assert outputs["items-out"] == [1_199, 1_198]
    assert context.parts == [500, 500, 200]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("query", "vector"),
    [([1] * 1_200, [1] * 1_200), (json.dumps([1] * 6_000), [1])],
    ids=["one long vector", "a long text at query-in"],
)
async def test_a_single_long_vector_is_read_in_a_child_process(query: Any, vector: Any) -> None:
    context = Counted()

    with contextlib.suppress(NodeFailed):
        await nearest(query, [vector], [0], context=context)

    assert context.parts == [1]


@pytest.mark.usefixtures("small_blocks")
async def test_a_wrong_vector_of_a_later_part_is_named_by_its_place() -> None:
    found: list[Any] = [[1, 1]] * 700
    found[600] = [1, "x"]

    with pytest.raises(NodeFailed, match="Vector 600 at vectors-in has a text at 1"):
        await nearest([1, 0], found, [0] * 700, context=Counted())


class Pooled(FakeContext):
    """Computes in child processes, as a worker does."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        return await compute(self._pool, "The work", PATIENCE_SECONDS, function, *args)


async def longest_turn(stop: asyncio.Event) -> float:
    """Return the longest CPU time of the event loop's thread between two looks, until told."""
    longest, last = 0.0, time.thread_time()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    return longest


async def test_ten_thousand_vectors_leave_the_event_loop_to_others() -> None:
    pool, stop = Pool(slots=1, preload=()), asyncio.Event()
    dice = random.Random(7)
    found = [[dice.random() - 0.5 for _ in range(DIMENSIONS)] for _ in range(MANY)]
    try:
        await pool.start()
        turns = asyncio.create_task(longest_turn(stop))
        with cpu_time() as measured:
            outputs = await nearest(found[77], found, list(range(MANY)), k=3, context=Pooled(pool))
        stop.set()
        longest = await turns
    finally:
        await pool.close()

    assert (outputs["items-out"][0], outputs["scores-out"][0]) == (77, pytest.approx(1))
    assert longest < 0.1
    assert measured.seconds < 3
