"""Trials of expressions: their limits, and the process that ends when nobody tries."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.process.pool import Pool, PoolCrashed, PoolTimeout
from gateway import expression_trials
from gateway.expression_trials import MAX_OF_ACCOUNT, MAX_TRIALS, ExpressionTrials


class HeldPool(Pool):
    """A pool whose calls wait until they are let go, or fail."""

    def __init__(self) -> None:
        super().__init__(slots=1)
        self.go = asyncio.Event()
        self.failure: Exception | None = None
        self.closed = 0

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self.closed += 1

    async def run(self, *_: Any, **__: Any) -> Any:
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return b"1"


@pytest.fixture
def pool() -> HeldPool:
    return HeldPool()


@pytest.fixture
async def trials(pool: HeldPool) -> AsyncIterator[ExpressionTrials]:
    trials = ExpressionTrials(lambda: pool)
    yield trials
    await trials.close()


async def test_an_account_has_few_trials_at_once(trials: ExpressionTrials, pool: HeldPool) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(MAX_OF_ACCOUNT):
            group.create_task(trials.evaluate("a", "1", {}))
        await asyncio.sleep(0)

        with pytest.raises(Unavailable):
            await trials.evaluate("a", "1", {})

        other = group.create_task(trials.evaluate("b", "1", {}))
        pool.go.set()
    assert other.result() == b"1"
    assert await trials.evaluate("a", "1", {}) == b"1"


async def test_a_gateway_has_few_trials_at_once(trials: ExpressionTrials, pool: HeldPool) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(MAX_TRIALS):
            group.create_task(trials.evaluate(str(number), "1", {}))
        await asyncio.sleep(0)

        with pytest.raises(Unavailable):
            await trials.evaluate("another", "1", {})

        pool.go.set()


@pytest.mark.parametrize(
    ("failure", "code"), [(PoolTimeout(), "timeout"), (PoolCrashed(), "resource_exhausted")]
)
async def test_a_trial_that_takes_too_much_fails_as_a_node(
    trials: ExpressionTrials, pool: HeldPool, failure: Exception, code: str
) -> None:
    pool.failure = failure
    pool.go.set()

    with pytest.raises(NodeFailed) as caught:
        await trials.evaluate("a", "1", {})

    assert caught.value.code == code


async def test_the_process_ends_when_nobody_tries(
    trials: ExpressionTrials, pool: HeldPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expression_trials, "IDLE_SECONDS", 0.0)
    pool.go.set()

    await trials.evaluate("a", "1", {})

    assert pool.closed == 0
    await asyncio.sleep(0.02)
    assert pool.closed == 1
    assert await trials.evaluate("a", "1", {}) == b"1"
