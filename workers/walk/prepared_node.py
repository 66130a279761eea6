"""Preparation of a node's attempt while the claim of the node is being recorded."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from engine.graph.plan import Plan


class PreparedNode:
    """Attempt at a node that has begun and calls nobody until the claim of the node is on record.

    A claim that is refused, because the execution is cancelled or with another worker, drops it.
    """

    __slots__ = ("_admitted", "_loop", "_task", "admitted_at")

    def __init__(self, work: Callable[["PreparedNode"], Coroutine[Any, Any, None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._admitted = self._loop.create_future()
        self._task = self._loop.create_task(work(self))
        self.admitted_at = 0.0
        """Time of the admission, by the clock of the loop."""

    async def wait(self) -> None:
        """Wait until the attempt may make calls."""
        await self._admitted

    def admit(self) -> "asyncio.Task[None]":
        """Let the attempt make calls; returns its task."""
        self.admitted_at = self._loop.time()
        if not self._admitted.done():
            self._admitted.set_result(None)
        return self._task

    def drop(self) -> None:
        """End the attempt, which has done nothing yet."""
        self._task.cancel()


def may_prepare(plan: Plan, claim: Sequence[int]) -> bool:
    """Return whether the claim is of a single node that waits for nothing before its first call.

    A time limit of the node begins with its claim, and what models need is known after it.
    """
    if len(claim) > 1 or plan.models:
        return False
    node = plan.nodes[claim[0]]
    return node.policy.timeout_seconds is None and bool(node.type.may_prepare(node.settings))
