"""Checks and trials of expressions: their limits, and the processes behind them."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.process.pool import Pool, PoolCrashed, PoolTimeout
from engine.services import expressions as module
from engine.services.expressions import GRAPH_TOO_MUCH, MAX_OF_ACCOUNT, TOO_MUCH, Expressions
from engine.values.cel import COPIED, Expression
from tests.support.eventually import PATIENCE_SECONDS

DOUBLING = "[1]" + ".map(a, {a: a})" * 20
"""Its type has a million parts: compiling it takes half a minute and 7 GB."""


def chain(length: int) -> str:
    return "optional.of(value)" + ".optMap(x,x)" * length


class HeldPool(Pool):
    """A pool whose calls wait until they are let go, or fail."""

    def __init__(self) -> None:
        super().__init__(slots=1)
        self.go = asyncio.Event()
        self.failure: Exception | None = None
        self.closed = 0
        self.calls = 0

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self.closed += 1

    async def run(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return b"1"


@pytest.fixture
def pool() -> HeldPool:
    return HeldPool()


@pytest.fixture
async def held(pool: HeldPool) -> AsyncIterator[Expressions]:
    expressions = Expressions(lambda: pool)
    yield expressions
    await expressions.close()


@pytest.fixture
async def expressions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Expressions]:
    for name in ("CHECK_SECONDS", "WAIT_SECONDS"):  # children give way to all other work
        monkeypatch.setattr(module, name, PATIENCE_SECONDS)
    expressions = Expressions()
    yield expressions
    await expressions.close()


async def check(expressions: Expressions, *texts: str) -> list[str | None]:
    asked = [Expression(text) for text in texts]
    faults = await expressions.check("a", asked)
    return [faults[each] for each in asked]


# -- checks ---------------------------------------------------------------------------------------


async def test_faults_are_found_in_a_child(
    expressions: Expressions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.cel, "check", None)  # this process compiles nothing

    sound, wrong = await check(expressions, "value + 1.0", "value +")

    assert sound is None
    assert wrong is not None and "Syntax error" in wrong


async def test_variables_and_conditions_are_checked(expressions: Expressions) -> None:
    asked = [Expression("price > 1.0", ("price",), True), Expression("'a'", (), True)]

    faults = await expressions.check("a", asked)

    assert faults[asked[0]] is None
    assert "needs true or false" in str(faults[asked[1]])


@pytest.mark.A87
@pytest.mark.parametrize("length", [17, 20, 300])
async def test_macros_that_repeat_what_they_are_called_on_are_refused_uncompiled(
    expressions: Expressions, length: int
) -> None:
    assert await check(expressions, chain(length)) == [COPIED]


@pytest.mark.A87
async def test_an_expression_that_kills_its_child_is_refused_alone(
    expressions: Expressions,
) -> None:
    found = await check(expressions, "value", DOUBLING, "value.a", "value +")

    assert found[:3] == [None, TOO_MUCH, None]
    assert "Syntax error" in str(found[3])


async def test_faults_are_known_afterwards_those_of_crashes_too(
    expressions: Expressions,
) -> None:
    texts = ["value", DOUBLING, "value +"]
    first = await check(expressions, *texts)
    await expressions.close()  # what is not known needs a process from here on
    expressions._make_pool = None  # type: ignore[assignment]

    assert await check(expressions, *texts) == first


@pytest.mark.A88
async def test_the_expressions_of_one_request_have_a_limit_together(
    expressions: Expressions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRAPH_CPU_SECONDS", 0.4)
    killing = [f"{DOUBLING}.map(b{number}, 1)" for number in range(8)]

    found = await check(expressions, *killing)

    assert found[0] == TOO_MUCH
    assert found[-1] == GRAPH_TOO_MUCH
    assert await check(expressions, "value") == [None]


async def test_a_child_that_is_killed_by_chance_refuses_nothing(
    expressions: Expressions,
) -> None:
    class UnluckyPool(Pool):
        unlucky = True

        async def run(self, *args: Any, **options: Any) -> Any:
            if self.unlucky:
                self.unlucky = False
                raise PoolCrashed
            return await super().run(*args, **options)

    expressions._make_pool = lambda: UnluckyPool(slots=1)

    assert await check(expressions, "value", "value.a") == [None, None]


@pytest.mark.A88
async def test_checks_that_take_too_long_are_no_faults(held: Expressions, pool: HeldPool) -> None:
    pool.failure = PoolTimeout()
    pool.go.set()

    with pytest.raises(Unavailable):
        await check(held, "value")
    pool.failure = None

    assert held._known.get(Expression("value")) is None


async def test_nothing_is_started_for_graphs_without_expressions(
    held: Expressions, pool: HeldPool
) -> None:
    assert await check(held) == []
    assert pool.calls == 0


# -- trials ---------------------------------------------------------------------------------------


async def test_a_trial_gives_json(expressions: Expressions) -> None:
    assert await expressions.evaluate("a", "value * 2.0", {"value": 2}) == b"4"


@pytest.mark.parametrize(
    ("failure", "code"), [(PoolTimeout(), "timeout"), (PoolCrashed(), "resource_exhausted")]
)
async def test_a_trial_that_takes_too_much_fails_as_a_node(
    held: Expressions, pool: HeldPool, failure: Exception, code: str
) -> None:
    pool.failure = failure
    pool.go.set()

    with pytest.raises(NodeFailed) as caught:
        await held.evaluate("a", "1", {})

    assert caught.value.code == code


# -- both -----------------------------------------------------------------------------------------


@pytest.mark.A88
async def test_an_account_has_so_many_at_once(held: Expressions, pool: HeldPool) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(MAX_OF_ACCOUNT):
            group.create_task(held.evaluate("a", "1", {}))
        await asyncio.sleep(0)

        with pytest.raises(Unavailable):
            await held.evaluate("a", "1", {})
        with pytest.raises(Unavailable):
            await check(held, "value")

        other = group.create_task(held.evaluate("b", "1", {}))
        pool.go.set()
    assert other.result() == b"1"
    assert await held.evaluate("a", "1", {}) == b"1"


async def test_the_processes_end_when_nobody_needs_them(
    held: Expressions, pool: HeldPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.0)
    pool.go.set()

    await held.evaluate("a", "1", {})

    assert pool.closed == 0
    await asyncio.sleep(0.02)
    assert pool.closed == 1
    assert await held.evaluate("a", "1", {}) == b"1"


@pytest.mark.A87
@pytest.mark.F34
async def test_children_have_little_memory() -> None:
    pool = module._make_pool()
    with pytest.raises((MemoryError, PoolCrashed)):
        await pool.run(os.urandom, module.MEMORY_BYTES, deadline_seconds=30)
    await pool.close()
