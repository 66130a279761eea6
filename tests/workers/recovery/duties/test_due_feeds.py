import time
from unittest.mock import Mock

import pytest

from engine.ids.triggers import new_trigger_id
from engine.store import Account, Store
from engine.store.redis.info import read_now
from tests.support.triggers.records import SCHEDULE
from workers.recovery.clock import ClockReading, RecoveryClock
from workers.recovery.duties.due_feeds import IDLE_SECONDS, DueSchedules


async def clock_of(store: Store, ahead_ms: int = 0) -> RecoveryClock:
    clock, now = RecoveryClock(15.0), time.monotonic()
    redis = (await read_now(store.client) + ahead_ms) / 1000
    clock.add(ClockReading(redis=redis, before=now, after=now))
    return clock


async def save(store: Store, account: Account, next_at: int) -> str:
    trigger_id = new_trigger_id()
    await store.triggers.create(
        account.id,
        trigger_id,
        SCHEDULE,
        enabled=True,
        key_id="",
        since=next_at - 1,
        next_at=next_at,
    )
    return trigger_id


@pytest.mark.parametrize(("left_ms", "interval"), [(60_000, IDLE_SECONDS), (400, 0.0)])
async def test_each_tick_searches_only_when_a_schedule_is_due_soon(
    store: Store, account: Account, left_ms: int, interval: float
) -> None:
    feeder = Mock()
    await save(store, account, await read_now(store.client) + left_ms)
    duty = DueSchedules(store, store.occurrences.due, await clock_of(store), feeder)

    await duty.run()

    assert duty.interval_seconds == interval
    feeder.feed_soon.assert_not_called()


async def test_schedules_that_are_due_are_fed(store: Store, account: Account) -> None:
    feeder = Mock()
    now = await read_now(store.client)
    due, _later = await save(store, account, now - 5), await save(store, account, now + 60_000)
    duty = DueSchedules(store, store.occurrences.due, await clock_of(store), feeder)

    await duty.run()

    feeder.feed_soon.assert_called_once_with(account.id, due)


async def test_without_a_schedule_few_searches_are_made(store: Store) -> None:
    duty = DueSchedules(store, store.occurrences.due, await clock_of(store), Mock())

    await duty.run()

    assert duty.interval_seconds == IDLE_SECONDS
