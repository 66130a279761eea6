"""Trials of expressions for the editor, in a child process of the gateway that can be killed.

No worker takes part and nothing is recorded. The process starts with the first trial and ends when
nobody has tried anything for a while, so that most gateways never have one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.process.pool import Pool, PoolCrashed, PoolTimeout
from engine.values import cel

TRIAL_SECONDS = 1.0
IDLE_SECONDS = 60.0
MAX_TRIALS = 16
"""Trials that may be under way in a gateway, of which one is computed at a time."""
MAX_OF_ACCOUNT = 2


class ExpressionTrials:
    """Evaluates expressions within narrow limits on time, memory and number."""

    def __init__(self, make_pool: Callable[[], Pool] = lambda: Pool(slots=1)) -> None:
        self._make_pool = make_pool
        self._pool: Pool | None = None
        self._starting = asyncio.Lock()
        self._under_way: Counter[str] = Counter()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def evaluate(self, account_id: str, expression: str, values: Mapping[str, Any]) -> bytes:
        """Return the result as JSON. Raises NodeFailed, and Unavailable where many try."""
        mine = self._under_way[account_id]
        if mine >= MAX_OF_ACCOUNT or self._under_way.total() >= MAX_TRIALS:
            raise Unavailable("Too many expressions are tried at once")
        self._under_way[account_id] += 1
        try:
            return await self._evaluate(expression, values)
        finally:
            self._under_way[account_id] -= 1
            self._under_way += Counter()  # drops accounts without any
            self._end_later()

    async def close(self) -> None:
        """End the process; a trial under way raises NodeFailed."""
        if self._idle is not None:
            self._idle.cancel()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
        if self._ending is not None:
            await self._ending

    async def _evaluate(self, expression: str, values: Mapping[str, Any]) -> bytes:
        pool = await self._open()
        try:
            found: bytes = await pool.run(
                cel.evaluate_as_json, expression, values, deadline_seconds=TRIAL_SECONDS
            )
        except PoolTimeout:
            message = f"The expression did not end within {TRIAL_SECONDS:g} s"
            raise NodeFailed("timeout", message) from None
        except (PoolCrashed, MemoryError):
            message = "The expression needed more memory than it may have"
            raise NodeFailed("resource_exhausted", message) from None
        return found

    async def _open(self) -> Pool:
        async with self._starting:
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            if self._pool is None:
                pool = self._make_pool()
                try:
                    await pool.start()
                except PoolCrashed:
                    await pool.close()
                    raise Unavailable from None
                self._pool = pool
            return self._pool

    def _end_later(self) -> None:
        if self._under_way or self._pool is None:
            return
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_SECONDS, self._end)

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            self._ending = asyncio.get_running_loop().create_task(pool.close())
