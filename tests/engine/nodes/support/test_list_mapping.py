"""Concurrent work on list items: order, concurrency, and the error raised for failures."""

import asyncio

import pytest

from engine.errors.nodes import NodeFailed, SiblingFailed
from engine.nodes.support.list_mapping import run_each


def failing(code: str, *, retryable: bool = False) -> NodeFailed:
    return NodeFailed(code, "It failed", retryable=retryable)


async def fail(*failures: NodeFailed | None) -> str:
    """Return the error raised for these outcomes; None is an item that never ends."""
    together = asyncio.Event()
    begun = 0

    async def work(position: int, found: NodeFailed | None) -> None:
        nonlocal begun
        begun += 1
        if begun == len(failures):
            together.set()
        await together.wait()
        if found is not None:
            raise found
        await asyncio.Event().wait()

    with pytest.raises(NodeFailed) as raised:
        await run_each(work, failures, len(failures))
    return raised.value.code


async def test_the_results_are_in_order_whoever_is_ready_first() -> None:
    async def work(position: int, item: str) -> str:
        await asyncio.sleep(0.01 * (3 - position))
        return f"{position}{item}"

    assert await run_each(work, "abc", 3) == ["0a", "1b", "2c"]


async def test_of_failures_that_come_together_the_first_in_order_is_raised() -> None:
    assert await fail(None, failing("one"), failing("two")) == "one"


async def test_a_failure_that_no_attempt_helps_is_raised_before_others() -> None:
    assert await fail(failing("busy", retryable=True), failing("never"), None) == "never"


async def test_what_fails_because_it_was_stopped_is_no_failure_of_its_own() -> None:
    async def work(position: int, item: str) -> None:
        if item == "bad":
            raise failing("bad")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise failing("stopped") from None

    with pytest.raises(NodeFailed) as raised:
        await run_each(work, ["waits", "bad"], 2)

    assert raised.value.code == "bad"


async def test_others_go_on_after_a_failure_that_is_not_final() -> None:
    async def work(position: int, item: str) -> str:
        await asyncio.sleep(0)
        done.append(item)
        if item in ("b", "d"):
            raise failing(item, retryable=True)
        return item

    done: list[str] = []
    with pytest.raises(NodeFailed) as raised:
        await run_each(work, "abcdefgh", 3, lambda failure: False)

    assert raised.value.code == "b"
    assert done == list("abcdefgh")


async def test_there_are_no_more_failures_than_items_at_once() -> None:
    async def work(position: int, item: str) -> None:
        done.append(item)
        raise failing(item, retryable=True)

    done: list[str] = []
    with pytest.raises(NodeFailed):
        await run_each(work, "abcdefgh", 3, lambda failure: False)

    assert done == list("abc")


async def test_a_final_failure_stops_those_that_went_on() -> None:
    async def work(position: int, item: str) -> None:
        if item == "waits":
            await asyncio.Event().wait()
        raise failing(item, retryable=item == "busy")

    with pytest.raises(NodeFailed) as raised:
        await run_each(work, ["busy", "waits", "never"], 3, lambda failure: not failure.retryable)

    assert raised.value.code == "never"


async def test_what_was_left_is_not_what_a_node_failed_with() -> None:
    async def work(position: int, item: Exception) -> None:
        raise item

    with pytest.raises(NodeFailed) as raised:
        await run_each(work, [SiblingFailed(), failing("busy", retryable=True)], 2, lambda _: False)

    assert raised.value.code == "busy"
