"""Events that wait for their expressions: together, in turn, and within limits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.process.pool import PoolCrashed, PoolTimeout
from engine.services import event_evaluations as module
from engine.services.event_evaluations import TOGETHER, EventEvaluations
from engine.values.cel.several import Evaluations, SeveralCall
from tests.support.eventually import PATIENCE_SECONDS


class FakeRunner:
    """A child that works in this process, once it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.calls: list[int] = []
        self.failures: dict[str, Exception] = {}
        """Failure by the text of an expression that causes it."""

    async def run(
        self, function: Callable[..., Any], calls: Sequence[SeveralCall], *, deadline_seconds: float
    ) -> Any:
        assert deadline_seconds == module.CALL_SECONDS
        self.calls.append(len(calls))
        await self.go.wait()
        for each in calls:
            failure = self.failures.get(each.expressions[0][1])
            if failure is not None:
                raise failure
        return function(calls)

    @contextlib.asynccontextmanager
    async def use(self, _: str) -> AsyncIterator[Any]:
        yield self


@pytest.fixture
async def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
async def evaluations(runner: FakeRunner) -> AsyncIterator[EventEvaluations]:
    found = EventEvaluations(runner.use)
    yield found
    await found.close()


def start(
    evaluations: EventEvaluations, text: str, size: int = 0, account_id: str = "a"
) -> "asyncio.Task[Evaluations]":
    call = SeveralCall(None, (("x", text),), {"body": 1})
    return asyncio.create_task(evaluations.evaluate(account_id, call, size))


async def test_events_that_wait_go_together(
    evaluations: EventEvaluations, runner: FakeRunner
) -> None:
    started = [start(evaluations, str(number)) for number in range(TOGETHER + 3)]
    await asyncio.sleep(0)
    runner.go.set()

    found = await asyncio.gather(*started)

    assert [each.results["x"] for each in found] == list(range(TOGETHER + 3))
    assert runner.calls == [TOGETHER, 3]
    assert evaluations._waiting == {}


async def test_large_events_go_in_small_groups(
    evaluations: EventEvaluations, runner: FakeRunner
) -> None:
    runner.go.set()
    sizes = (100_000, 100_000, 100_000, 1_000_000, 1)

    await asyncio.gather(*(start(evaluations, "1", size) for size in sizes))

    assert runner.calls == [2, 1, 1, 1]


@pytest.mark.A95d
@pytest.mark.parametrize(
    ("failure", "reason"), [(PoolTimeout(), "within 2 s"), (PoolCrashed(), "more memory")]
)
async def test_an_event_over_the_limits_harms_no_other(
    evaluations: EventEvaluations, runner: FakeRunner, failure: Exception, reason: str
) -> None:
    runner.failures["2"] = failure
    runner.go.set()

    first, bad, last = await asyncio.gather(*(start(evaluations, str(each)) for each in (1, 2, 3)))

    assert (first.results, last.results) == ({"x": 1}, {"x": 3})
    assert reason in bad.problems[0].reason


@pytest.mark.A95d
async def test_accounts_do_not_wait_for_each_other(
    evaluations: EventEvaluations, runner: FakeRunner
) -> None:
    other = FakeRunner()
    other.go.set()
    evaluations._use_runner = lambda name: (other if name == "b" else runner).use(name)
    held = start(evaluations, "1")
    await asyncio.sleep(0)

    assert (await start(evaluations, "2", account_id="b")).results == {"x": 2}
    assert not held.done()
    runner.go.set()
    await held


@pytest.mark.A95d
async def test_events_wait_for_a_limited_time_and_in_a_limited_number(
    evaluations: EventEvaluations, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    started = [start(evaluations, "1")]
    await asyncio.sleep(0.01)
    started += [start(evaluations, "1") for _ in range(4)]

    outcomes = await asyncio.gather(*started, return_exceptions=True)

    assert [type(each) for each in outcomes] == [Unavailable] * 5
    assert ["Too many" in str(each) for each in outcomes] == [False] * 4 + [True]
    monkeypatch.setattr(module, "WAIT_SECONDS", PATIENCE_SECONDS)
    runner.go.set()
    assert (await start(evaluations, "1")).results == {"x": 1}
    assert runner.calls[0] == 1


async def test_events_fail_when_no_child_can_be_had(evaluations: EventEvaluations) -> None:
    @contextlib.asynccontextmanager
    async def refuse(_: str) -> AsyncIterator[Any]:
        raise Unavailable
        yield

    evaluations._use_runner = refuse

    with pytest.raises(Unavailable):
        await start(evaluations, "1")
    assert evaluations._waiting == {}


async def test_events_under_way_fail_at_the_end_of_the_process(
    evaluations: EventEvaluations,
) -> None:
    started = [start(evaluations, "1") for _ in range(2)]
    await asyncio.sleep(0.01)

    await evaluations.close()

    async with asyncio.timeout(module.WAIT_SECONDS / 2):
        outcomes = await asyncio.gather(*started, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable] * 2
