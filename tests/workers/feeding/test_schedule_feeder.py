"""Schedules from their due times to their runs, on a whole worker in this process."""

import asyncio
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.ids.triggers import due_occurrence_id, new_trigger_id, occurrence_execution_id
from engine.store import Store
from engine.store.redis.info import read_now
from engine.triggers.occurrences import OccurrenceStatus
from engine.triggers.trigger import ScheduleSettings, Trigger, TriggerSettings
from tests.support.eventually import eventually
from tests.support.factories import Runner, greeting
from workers.feeding.schedule_feeder import ScheduleFeeder
from workers.walk.walker import Walker


async def save(runner: Runner, slug: str, next_at: int, **members: Any) -> Trigger:
    schedule = ScheduleSettings(cron="* * * * *", inputs={"who": "Ada"}, **members)
    return await runner.store.triggers.create(
        runner.account.id,
        new_trigger_id(),
        TriggerSettings(name="Digest", slug=slug, schedule=schedule),
        enabled=True,
        key_id="",
        since=next_at - 1,
        next_at=next_at,
    )


async def test_due_times_start_runs_which_end(runner: Runner, walker: Walker, store: Store) -> None:
    slug = await runner.save(greeting())
    at = await read_now(store.client) + 700
    triggers = [await save(runner, slug, at) for _ in range(20)]
    ids = [occurrence_execution_id(due_occurrence_id(each.id, at)) for each in triggers]

    executions = await asyncio.gather(*(_end(runner, each) for each in ids))

    assert {each.status for each in executions} == {ExecutionStatus.COMPLETED}
    assert "Hello Ada" in str(executions[0].result)
    for trigger in triggers:
        page = await store.occurrences.list(runner.account.id, trigger.id, None, 10)
        assert [each.status for each in page.occurrences] == [OccurrenceStatus.STARTED]
        after = await store.triggers.get(runner.account.id, trigger.id)
        assert after.next_at is not None
        assert after.next_at > at
        assert after.next_at % 60_000 == 0


async def _end(runner: Runner, execution_id: str) -> Any:
    async def begun() -> bool:
        ids = await runner.store.executions.named(runner.account.id, [execution_id], None)
        return execution_id in ids[0]

    await eventually(begun, timeout=30)
    return await runner.end(execution_id)


class _Counted:
    """Runs of schedules that take a while, in place of those of the service."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.may_end = asyncio.Event()

    async def begin_due(self, account_id: str, trigger_id: str) -> bool:
        self.calls.append(trigger_id)
        await self.may_end.wait()
        return False


async def test_a_schedule_that_is_being_fed_is_not_fed_once_more() -> None:
    runs = _Counted()
    feeder = ScheduleFeeder(runs)  # type: ignore[arg-type]
    for _ in range(5):
        feeder.feed_soon("acc_1", "trg_1")
        await asyncio.sleep(0)
    runs.may_end.set()
    for _ in range(20):
        await asyncio.sleep(0)
    await feeder.stop()

    assert runs.calls == ["trg_1"]


@pytest.mark.parametrize("count", [1, 50])
async def test_an_account_with_many_schedules_takes_turns_with_others(count: int) -> None:
    runs = _Counted()
    feeder = ScheduleFeeder(runs)  # type: ignore[arg-type]
    for number in range(count):
        feeder.feed_soon("acc_many", f"trg_{number}")
    await asyncio.sleep(0)
    feeder.feed_soon("acc_few", "trg_few")
    await asyncio.sleep(0)

    assert "trg_few" in runs.calls[: min(count, ScheduleFeeder.feeds_of_account) + 1]
    runs.may_end.set()
    await feeder.stop()
