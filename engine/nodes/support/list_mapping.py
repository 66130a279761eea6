"""Concurrent work on the items of a list, and its failures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from engine.errors.nodes import NodeFailed, SiblingFailed

Item = TypeVar("Item")
Result = TypeVar("Result")


def is_always_final(failure: NodeFailed) -> bool:
    """Return True: no failure leads to another attempt that reuses results."""
    return True


async def run_each(
    work: Callable[[int, Item], Awaitable[Result]],
    items: Sequence[Item],
    concurrency: int,
    is_final: Callable[[NodeFailed], bool] = is_always_final,
) -> list[Result]:
    """Run `work` on each position and item; return the results in order.

    At most `concurrency` items run at once. A final failure stops the others. After any other
    failure the concurrency drops by one, so `concurrency` bounds the number of failures. Of several
    failures a final one is raised first, and of equal ones the first in order.
    """
    results: dict[int, Result] = {}
    failed: dict[int, Exception] = {}
    remaining = iter(enumerate(items))

    async def do_next() -> None:
        for position, item in remaining:
            try:
                results[position] = await work(position, item)
            except Exception as error:
                if _is_stopped():
                    raise
                failed[position] = error
                if not isinstance(error, NodeFailed) or is_final(error):
                    raise
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(items))):
                group.create_task(do_next())
    except ExceptionGroup as errors:
        raise _most_final(failed) or errors.exceptions[0] from None
    error_to_raise = _most_final(failed)
    if error_to_raise is not None:
        raise error_to_raise
    return [results[position] for position in range(len(items))]


def _is_stopped() -> bool:
    """Return True if the current task was cancelled, so that its error is no failure of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _most_final(failed: Mapping[int, Exception]) -> Exception | None:
    def rank(position: int) -> tuple[bool, bool, int]:
        error = failed[position]
        is_retryable = not isinstance(error, NodeFailed) or error.retryable
        return isinstance(error, SiblingFailed), is_retryable, position

    return failed[min(failed, key=rank)] if failed else None
