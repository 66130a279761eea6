import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from engine.executions.execution import ExecutionOutcome
from engine.executions.statuses import ExecutionStatus
from engine.store import Account, CompletionNotifier, Store
from engine.store.executions import notifier as bells
from engine.store.executions.advance import Step
from engine.store.executions.claim import Lease
from engine.store.redis import connection, subscription
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack
from tests.conftest import RedisServer
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.redis.proxy import running_proxy
from tests.support.store.records import BOTH_DONE, accept, save

T = TypeVar("T")


@pytest.fixture(autouse=True)
def rare_checks(monkeypatch: pytest.MonkeyPatch) -> float:
    """Make the pause between checks long, so that only a notification wakes a caller in time."""
    pause = bells.CHECK_SECONDS
    monkeypatch.setattr(bells, "CHECK_SECONDS", 60.0)
    return pause


def answers(*values: str | None) -> Callable[[], Awaitable[str | None]]:
    """Return a check that gives these values, one per call."""
    left = list(values)

    async def check() -> str | None:
        return left.pop(0)

    return check


async def wait(
    notifier: CompletionNotifier,
    execution_id: str,
    check: Callable[[], Awaitable[T | None]],
    seconds: float,
) -> T | None:
    """Return the first value of `check`, or None after the timeout."""
    with notifier.expecting(execution_id) as completion:
        return await completion.wait(check, seconds)


async def test_a_caller_is_woken_when_its_execution_ends(
    store: Store, account: Account, redis_url: str
) -> None:
    workflow, plan = await save(store, account)
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        accepted = await accept(store, account, workflow, plan, notifier=notifier.channel)

        async def ended() -> bool | None:
            head = await store.executions.head(account.id, accepted.id)
            return head.completed_at is not None or None

        waiting = asyncio.create_task(wait(notifier, accepted.id, ended, 30))
        await asyncio.sleep(0)
        await store.walks.claim(f"{account.id}/{accepted.id}", "w1", "t")
        started = time.monotonic()
        step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED)
        await store.walks.advance(Lease(account.id, accepted.id, "w1", 1, "t"), 1, step)

        assert await waiting
        assert time.monotonic() - started < 15


async def notify_with(
    store: Store, account: Account, redis_url: str, step: Step
) -> ExecutionOutcome | None:
    """Return the notified outcome of an execution that ends with this step."""
    workflow, plan = await save(store, account)
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        accepted = await accept(store, account, workflow, plan, notifier=notifier.channel)
        with notifier.expecting(accepted.id) as completion:
            await store.walks.claim(f"{account.id}/{accepted.id}", "w1", "t")
            await store.walks.advance(Lease(account.id, accepted.id, "w1", 1, "t"), 1, step)
            await completion.wait(answers("notified"), 30)
            outcome = completion.outcome
        head = await store.executions.head(account.id, accepted.id)
    if outcome is not None:  # never an outcome that differs from the record
        on_record = (head.id, head.status, head.result, head.error, head.credits_cost)
        told = (outcome.id, outcome.status, outcome.result, outcome.error, outcome.credits_cost)
        assert told == on_record
    return outcome


@pytest.mark.parametrize("result", [None, {"text": "one\ntwo"}, {"text": "x" * 16_000}])
async def test_a_small_result_comes_with_the_notification(
    store: Store, account: Account, redis_url: str, result: object
) -> None:
    step = Step(settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, result=pack(result))

    outcome = await notify_with(store, account, redis_url, step)

    assert outcome is not None
    assert (outcome.status, outcome.result) == (ExecutionStatus.COMPLETED, result)


async def test_a_failure_comes_with_the_notification(
    store: Store, account: Account, redis_url: str
) -> None:
    error = {"code": "EXECUTION_FAILED", "message": "a\nb", "nodeId": "n"}
    step = Step(end=ExecutionStatus.FAILED, error=error)

    outcome = await notify_with(store, account, redis_url, step)

    assert outcome is not None
    assert (outcome.status, outcome.error) == (ExecutionStatus.FAILED, error)


@pytest.mark.parametrize("length", [16_400, 300_000])
async def test_a_large_result_is_left_on_record(
    store: Store, account: Account, redis_url: str, length: int
) -> None:
    step = Step(
        settled=BOTH_DONE, end=ExecutionStatus.COMPLETED, result=pack({"text": "x" * length})
    )

    assert await notify_with(store, account, redis_url, step) is None


async def test_a_cancelled_execution_notifies_too(
    store: Store, account: Account, redis_url: str
) -> None:
    workflow, plan = await save(store, account)
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        accepted = await accept(store, account, workflow, plan, notifier=notifier.channel)
        waiting = asyncio.create_task(wait(notifier, accepted.id, answers("notified"), 30))
        await asyncio.sleep(0)
        started = time.monotonic()

        await store.executions.cancel(account.id, accepted.id)

        assert await waiting == "notified"
        assert time.monotonic() - started < 15


async def test_a_notification_that_came_before_the_wait_is_not_lost(
    store: Store, redis_url: str
) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        with notifier.expecting("x") as completion:
            await store.client.send("PUBLISH", notifier.channel, "x")
            await asyncio.sleep(0.05)
            started = time.monotonic()

            assert await completion.wait(answers("notified"), 30) == "notified"

        assert time.monotonic() - started < 15
        assert not notifier._waiters


async def test_a_notification_of_an_unfinished_execution_is_ignored(
    store: Store, redis_url: str
) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        with notifier.expecting("x") as completion:
            waiting = asyncio.create_task(completion.wait(answers(None, None, "third"), 30))
            for _ in range(3):
                await asyncio.sleep(0.02)
                await store.client.send("PUBLISH", notifier.channel, "x")

            assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == "third"


@pytest.mark.F16
async def test_a_lost_notification_costs_a_second(
    redis_url: str, rare_checks: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rare_checks == 1.0
    monkeypatch.setattr(bells, "CHECK_SECONDS", 0.2)
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        started = time.monotonic()

        assert await wait(notifier, "x", answers("there"), 60) == "there"

        assert 0.18 < time.monotonic() - started < 30


async def test_a_thousand_callers_are_woken_together(store: Store, redis_url: str) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        names = ["shared"] * 500 + [f"x{number}" for number in range(500)]
        waiting = [
            asyncio.create_task(wait(notifier, name, answers("notified"), 30)) for name in names
        ]
        await asyncio.sleep(0)
        started = time.monotonic()

        for name in set(names):
            store.client.send("PUBLISH", notifier.channel, name)
        values = await asyncio.gather(*waiting)

        assert values == ["notified"] * 1_000
        assert time.monotonic() - started < 15
        assert not notifier._waiters


async def test_time_runs_out_and_nothing_is_left(redis_url: str) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        assert await wait(notifier, "x", answers(None, None), 0.05) is None
        assert await wait(notifier, "x", answers("never asked"), 0) is None
        assert not notifier._waiters


async def test_a_caller_that_goes_away_leaves_nothing(store: Store, redis_url: str) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        gone = asyncio.create_task(wait(notifier, "x", answers("gone"), 10))
        stays = asyncio.create_task(wait(notifier, "x", answers("stays"), 30))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])

        await store.client.send("PUBLISH", notifier.channel, "x")

        assert await asyncio.wait_for(stays, PATIENCE_SECONDS) == "stays"
        assert not notifier._waiters


async def test_a_check_that_fails_is_the_callers_to_see(redis_url: str) -> None:
    async def check() -> str:
        raise ValueError("no")

    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        with pytest.raises(ValueError):
            await wait(notifier, "x", check, 0.01)
        assert not notifier._waiters


async def test_notifications_of_others_and_noise_wake_no_caller(
    store: Store, redis_url: str
) -> None:
    async with (
        CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier,
        CompletionNotifier.open(RedisAddress.parse(redis_url)) as other,
    ):
        assert notifier.channel != other.channel
        waiting = asyncio.create_task(wait(notifier, "x", answers("notified"), 30))
        await asyncio.sleep(0)
        await store.client.send("PUBLISH", other.channel, "x")
        await store.client.send("PUBLISH", notifier.channel, "y")
        await store.client.send("PUBLISH", notifier.channel, b"\xff\xfe")
        await store.client.send("PUBLISH", notifier.channel, "")
        await asyncio.sleep(0.05)
        assert not waiting.done()

        await store.client.send("PUBLISH", notifier.channel, "x")

        assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == "notified"


async def test_the_notifier_works_again_after_a_restart_of_redis(own_server: RedisServer) -> None:
    client = Client(RedisAddress.parse(own_server.url))
    async with CompletionNotifier.open(RedisAddress.parse(own_server.url)) as notifier:
        own_server.kill()
        own_server.start()

        async def subscribers() -> int:
            reply = await client.send("PUBSUB", "NUMSUB", notifier.channel)
            return int(reply[1])

        await eventually(subscribers)
        waiting = asyncio.create_task(wait(notifier, "x", answers("notified"), 30))
        await asyncio.sleep(0)
        await client.send("PUBLISH", notifier.channel, "x")

        assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == "notified"
    await client.close()


async def test_a_half_open_subscription_is_noticed(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "SILENCE_SECONDS", 0.1)
    async with (
        running_proxy(redis_url) as proxy,
        CompletionNotifier.open(RedisAddress.parse(proxy.url)) as notifier,
    ):
        before = proxy.connections
        proxy.is_frozen = True
        await eventually(lambda: _count(proxy, before))
        proxy.is_frozen = False

        async def rung() -> str | None:
            await store.client.send("PUBLISH", notifier.channel, "x")
            return await wait(notifier, "x", answers("notified"), 0.2)

        assert await eventually(rung) == "notified"


async def _count(proxy: object, before: int) -> bool:
    return getattr(proxy, "connections", 0) > before


async def test_a_notifier_opens_without_redis(tmp_path: object) -> None:
    started = time.monotonic()

    async with CompletionNotifier.open(
        RedisAddress.parse(f"unix://{tmp_path}/nothing")
    ) as notifier:
        assert notifier.channel

    assert time.monotonic() - started < 15


async def test_all_callers_of_one_execution_are_woken_and_those_that_left_are_forgotten(
    redis_url: str,
) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(redis_url)) as notifier:
        waiters = [notifier.expect("x") for _ in range(3)]
        notifier.leave(waiters[0])
        notifier.leave(waiters[0])

        notifier._notify(b"x\n")
        woken = [each._is_notified for each in waiters]
        for each in waiters:
            notifier.leave(each)

    assert woken == [False, True, True]
    assert not notifier._waiters
