"""Work for each item of a list, so many at once, and what becomes of it when some fails."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from engine.errors.nodes import NodeFailed, SiblingFailed

Item = TypeVar("Item")
Given = TypeVar("Given")


def is_always_final(failure: NodeFailed) -> bool:
    """Where nothing is kept of what others give."""
    return True


async def run_each(
    work: Callable[[int, Item], Awaitable[Given]],
    items: Sequence[Item],
    concurrency: int,
    is_final: Callable[[NodeFailed], bool] = is_always_final,
) -> list[Given]:
    """What the work gives for each item and its position, in order, so many at once.

    One that fails for good stops the others. After one that does not, there is one less at once,
    so that there are no more failures than that. Of several failures that one is raised which no
    other attempt helps, and of those the first in order.
    """
    given: dict[int, Given] = {}
    failed: dict[int, Exception] = {}
    left = iter(enumerate(items))

    async def do_next() -> None:
        for position, item in left:
            try:
                given[position] = await work(position, item)
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
        raise _gravest(failed) or errors.exceptions[0] from None
    gravest = _gravest(failed)
    if gravest is not None:
        raise gravest
    return [given[position] for position in range(len(items))]


def _is_stopped() -> bool:
    """Whether what fails now was stopped before, so that this is no failure of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _gravest(failed: Mapping[int, Exception]) -> Exception | None:
    def rank(position: int) -> tuple[bool, bool, int]:
        error = failed[position]
        is_retryable = not isinstance(error, NodeFailed) or error.retryable
        return isinstance(error, SiblingFailed), is_retryable, position

    return failed[min(failed, key=rank)] if failed else None
