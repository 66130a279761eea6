"""Checks and trials of expressions, in child processes of this process that can be killed.

The children start with the first expression that is not known, and end when none was for a while,
so that most gateways never have any. Nothing is compiled on the event loop or in a thread of it.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.process.lru_cache import LruCache
from engine.process.pool import AccountRunner, Pool, PoolCrashed, PoolTimeout
from engine.services.event_evaluations import EventEvaluations
from engine.values import cel
from engine.values.cel import Expression
from engine.values.cel.several import Evaluations, SeveralCall

TRIAL_SECONDS = 1.0
CHECK_SECONDS = 10.0
"""Longest time of one call of a child that checks; the limits on processor time are far below."""
GRAPH_CPU_SECONDS = 2.0
"""Processor time for all unknown expressions of one request."""
WAIT_SECONDS = 20.0
"""Longest time of all checks of one request, with the turns of others."""
IDLE_SECONDS = 300.0
MAX_OF_ACCOUNT = 64
"""Requests of an account that wait or are computed at once."""
BATCH = 64
"""Expressions that are sent to a child at once."""
KNOWN_EXPRESSIONS = 20_000
KNOWN_BYTES = 8_388_608
"""Characters of all expressions whose faults are cached."""
MEMORY_BYTES = 256 * 1024 * 1024
TOO_MUCH = (
    "The expression takes more than"
    f" {cel.CHECK_CPU_SECONDS:g} s or {MEMORY_BYTES // 2**20} MB to check; make it simpler"
)
GRAPH_TOO_MUCH = (
    "The expression was not checked: those before it took"
    f" {GRAPH_CPU_SECONDS:g} s, which all expressions of a graph have together"
)


def _make_pool() -> Pool:
    return Pool(slots=1, memory_bytes=MEMORY_BYTES)


class Expressions:
    """Checks and evaluates expressions within limits on time, memory and number."""

    def __init__(self, make_pool: Callable[[], Pool] = _make_pool) -> None:
        self._make_pool = make_pool
        self._pool: Pool | None = None
        self._starting = asyncio.Lock()
        self._under_way: Counter[str] = Counter()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._known: LruCache[Expression, tuple[str | None]] = LruCache(
            KNOWN_EXPRESSIONS, KNOWN_BYTES
        )
        """Fault of each known expression in a tuple, None for a sound one; a crash is a fault."""
        self._events = EventEvaluations(self._use_for_events)

    async def check(
        self, account_id: str, expressions: Sequence[Expression]
    ) -> dict[Expression, str | None]:
        """Return the faults of expressions. Raises Unavailable where too many are checked."""
        faults: dict[Expression, str | None] = {}
        unknown = []
        for each in dict.fromkeys(expressions):
            known = self._known.get(each)
            if known is None:
                unknown.append(each)
            else:
                faults[each] = known[0]
        if not unknown:
            return faults
        async with self._use(account_id) as pool:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._check(AccountRunner(pool, account_id), unknown, faults)
            except (TimeoutError, PoolTimeout):
                raise Unavailable("The expressions could not be checked in time") from None
        return faults

    async def evaluate(self, account_id: str, text: str, values: Mapping[str, Any]) -> bytes:
        """Return the result as JSON. Raises NodeFailed, and Unavailable where many try."""
        async with self._use(account_id) as pool:
            try:
                encoded: bytes = await AccountRunner(pool, account_id).run(
                    cel.evaluate_as_json, text, values, deadline_seconds=TRIAL_SECONDS
                )
            except PoolTimeout:
                message = f"The expression did not end within {TRIAL_SECONDS:g} s"
                raise NodeFailed("timeout", message) from None
            except (PoolCrashed, MemoryError):
                message = "The expression needed more memory than it may have"
                raise NodeFailed("resource_exhausted", message) from None
            return encoded

    async def evaluate_several(
        self, account_id: str, call: SeveralCall, size: int = 0
    ) -> Evaluations:
        """Return what `engine.values.cel.several.evaluate_several` does, in a child.

        Calls of an account that wait go to the child together; `size` is the size of the values in
        bytes, about. An evaluation over the limits of time or memory is a problem of all
        expressions together. Raises Unavailable where too many wait, or for too long.
        """
        return await self._events.evaluate(account_id, call, size)

    async def close(self) -> None:
        """End the processes; a trial under way raises NodeFailed."""
        await self._events.close()
        if self._idle is not None:
            self._idle.cancel()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
        if self._ending is not None:
            await self._ending

    async def _check(
        self,
        runner: AccountRunner,
        unknown: Sequence[Expression],
        faults: dict[Expression, str | None],
    ) -> None:
        """Add the faults of the expressions, a batch at a time.

        After a crash they are sent one by one: the one that crashes a child alone is the cause.
        """
        position, batch, spent = 0, BATCH, 0.0
        while position < len(unknown):
            sent = unknown[position : position + batch]
            if spent >= GRAPH_CPU_SECONDS:
                faults |= dict.fromkeys(unknown[position:], GRAPH_TOO_MUCH)
                return
            try:
                answers, seconds = await runner.run(
                    cel.check_some, sent, deadline_seconds=CHECK_SECONDS
                )
            except (PoolCrashed, MemoryError):
                seconds, is_alone = cel.CHECK_CPU_SECONDS, batch == 1
                answers, batch = ([TOO_MUCH], BATCH) if is_alone else ([], 1)
            for expression, fault in zip(sent, answers, strict=False):
                faults[expression] = fault
                self._known.put(expression, (fault,), len(expression.text))
            position += len(answers)
            spent += seconds

    @contextlib.asynccontextmanager
    async def _use_for_events(self, account_id: str) -> AsyncIterator[AccountRunner]:
        async with self._use(f"{account_id} events") as pool:
            yield AccountRunner(pool, account_id)

    @contextlib.asynccontextmanager
    async def _use(self, account_id: str) -> AsyncIterator[Pool]:
        """Count the account's use, and keep the processes as long as it lasts."""
        if self._under_way[account_id] >= MAX_OF_ACCOUNT:
            raise Unavailable("Too many expressions are checked or tried at once")
        self._under_way[account_id] += 1
        try:
            yield await self._open()
        finally:
            self._under_way[account_id] -= 1
            self._under_way += Counter()  # drops accounts without any
            self._end_later()

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
