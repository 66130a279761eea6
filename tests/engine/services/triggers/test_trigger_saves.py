"""Changes of schedules beside clocks and processes that begin due times; the API has the others."""

from typing import Any, cast

import pytest
from msgspec.structs import replace

from engine.services.triggers.trigger_checks import TriggerChecks
from engine.services.triggers.trigger_saves import TriggerSaves
from engine.store import Account, Store
from engine.store.redis.info import read_now
from engine.store.triggers import keys
from engine.triggers.cron import parse_cron
from engine.triggers.occurrences import OccurrenceStatus, format_occurrence
from engine.triggers.trigger import ScheduleSettings, Trigger, TriggerSettings
from tests.support.triggers.occurrences import occurrence
from tests.support.triggers.records import SCHEDULE, save_schedule

HOUR_MS = 3_600_000


def with_cron(cron: str) -> TriggerSettings:
    schedule = ScheduleSettings(cron=cron, inputs={"text": "hi"})
    return replace(SCHEDULE, schedule=schedule)


class Begun:
    """Notes the schedules whose due times shall begin."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def begin(self, trigger: Trigger) -> None:
        self.names.append(trigger.id)


@pytest.fixture
def begun() -> Begun:
    return Begun()


@pytest.fixture
def saves(store: Store, begun: Begun) -> TriggerSaves:
    none = cast(Any, None)  # neither the workflow nor an expression changes
    checks = TriggerChecks(store=store, media_service=none, expressions=none, allow_http=False)
    return TriggerSaves(store=store, checks=checks, begin_due=begun.begin)


async def each_minute(_: Trigger) -> tuple[TriggerSettings, bool]:
    return with_cron("* * * * *"), True


async def test_a_clock_that_was_set_back_gives_no_due_time_twice(
    store: Store, account: Account, saves: TriggerSaves
) -> None:
    made = await save_schedule(store, account)
    at = await read_now(store.client) + HOUR_MS  # by the clock before
    last = occurrence(at, trigger_id=made.id, status=OccurrenceStatus.STARTED)
    record = f"{last.id},{format_occurrence(last)}"
    await store.client.send("HSET", keys.triggers(account.id), f"{made.id}.last", record)
    made = await store.triggers.get(account.id, made.id)

    changed = await saves.change(made, each_minute)

    assert changed.next_at is not None and changed.next_at > at
    assert changed.since == at

    async def each_day(_: Trigger) -> tuple[TriggerSettings, bool]:
        return with_cron("0 0 * * *"), True

    again = await saves.change(changed, each_day)

    assert again.next_at == parse_cron("0 0 * * *", "UTC").after(at, 1)[0]


async def test_a_due_time_begins_before_the_schedule_changes(
    store: Store, account: Account, saves: TriggerSaves, begun: Begun
) -> None:
    due = await save_schedule(store, account, next_at=await read_now(store.client) - 5)
    later = await save_schedule(store, account)

    await saves.change(due, each_minute)
    await saves.change(later, each_minute)

    assert begun.names == [due.id]


async def test_a_change_of_a_trigger_that_was_saved_since_is_made_anew(
    store: Store, account: Account, saves: TriggerSaves
) -> None:
    made = await save_schedule(store, account)
    await store.triggers.replace(
        made, replace(SCHEDULE, name="Other"), enabled=True, since=made.since, next_at=None
    )

    async def change(trigger: Trigger) -> tuple[TriggerSettings, bool]:
        return replace(trigger.settings, max_credits=5), True

    changed = await saves.change(made, change)

    assert (changed.settings.name, changed.settings.max_credits) == ("Other", 5)
    assert changed.revision == 3
