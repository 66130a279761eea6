"""Evaluations of expressions for events, which arrive by the hundred in a second.

The events of an account that wait go to a child process together: the child runs at a
lower priority than other processes, so each of its calls should serve many events.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from engine.errors import EngineError, Unavailable
from engine.process.pool import AccountRunner, PoolCrashed, PoolTimeout
from engine.values.cel.several import (
    ALL,
    Evaluations,
    ExpressionProblem,
    SeveralCall,
    decode_evaluations,
    evaluate_calls,
)

CALL_SECONDS = 2.0
"""Longest time of the expressions of one event, all together."""
WAIT_SECONDS = 10.0
"""Longest time of an event with the turns of others."""
MAX_WAITING = 512
"""Events of an account that wait at once."""
TOGETHER = 32
"""Events that go to a child at once."""
TOGETHER_BYTES = 262_144
"""Size of these, unless a single one is larger."""

UseRunner = Callable[[str], AbstractAsyncContextManager[AccountRunner]]
"""Opens a runner of the pool for an account. Raises Unavailable."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A call that waits for its evaluations."""

    call: SeveralCall
    size: int
    done: "asyncio.Future[Evaluations]"


class EventEvaluations:
    """Evaluates the expressions of events, those of an account in their order."""

    def __init__(self, use_runner: UseRunner) -> None:
        self._use_runner = use_runner
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def evaluate(self, account_id: str, call: SeveralCall, size: int) -> Evaluations:
        """Return the evaluations of a call; see `Expressions.evaluate_several`."""
        queue = self._waiting.get(account_id)
        if queue is not None and len(queue) >= MAX_WAITING:
            raise Unavailable("Too many events wait for their expressions")
        waiting = _Waiting(call, size, asyncio.get_running_loop().create_future())
        if queue is None:
            self._waiting[account_id] = deque([waiting])
            task = asyncio.create_task(self._work(account_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            queue.append(waiting)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting.done
        except TimeoutError:
            raise Unavailable("The expressions could not be evaluated in time") from None

    async def close(self) -> None:
        """Leave all events; their calls raise Unavailable."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self, account_id: str) -> None:
        """Serve the account's events until none waits."""
        queue = self._waiting[account_id]
        try:
            async with self._use_runner(account_id) as runner:
                while some := _take(queue):
                    try:
                        await self._serve(runner, some)
                    finally:
                        _fail(deque(some), Unavailable())
        except EngineError as error:
            _fail(queue, error)
        finally:
            del self._waiting[account_id]
            _fail(queue, Unavailable())

    async def _serve(self, runner: AccountRunner, some: Sequence[_Waiting]) -> None:
        """Evaluate calls together; after a failure one by one, since one alone is the cause."""
        found = await _evaluate(runner, some)
        if isinstance(found, str) and len(some) > 1:
            for each in some:
                await self._serve(runner, [each])
            return
        if isinstance(found, str):
            found = [Evaluations(problems=[ExpressionProblem(name=ALL, reason=found)])]
        for each, evaluations in zip(some, found, strict=True):
            if not each.done.done():
                each.done.set_result(evaluations)


async def _evaluate(runner: AccountRunner, some: Sequence[_Waiting]) -> Sequence[Evaluations] | str:
    """Return the evaluations of calls, or the reason for which there are none."""
    calls = [each.call for each in some]
    try:
        encoded = await runner.run(evaluate_calls, calls, deadline_seconds=CALL_SECONDS)
    except PoolTimeout:
        return f"The expressions did not end within {CALL_SECONDS:g} s"
    except (PoolCrashed, MemoryError):
        return "The expressions needed more memory than they may have"
    return [decode_evaluations(each) for each in encoded]


def _take(queue: deque[_Waiting]) -> list[_Waiting]:
    """Remove the next calls that go to a child together, without those that are given up."""
    some: list[_Waiting] = []
    size = 0
    while queue and len(some) < TOGETHER:
        if some and size + queue[0].size > TOGETHER_BYTES:
            break
        waiting = queue.popleft()
        if not waiting.done.done():
            some.append(waiting)
            size += waiting.size
    return some


def _fail(queue: deque[_Waiting], error: EngineError) -> None:
    while queue:
        waiting = queue.popleft()
        if not waiting.done.done():
            waiting.done.set_exception(error)
