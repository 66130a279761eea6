"""Each due time has one occurrence and at most one run, whatever happens to processes and clocks.

The oracle knows when a schedule was saved and when it was looked at, and finds the due times minute
by minute. Processes die at calls, Redis does not answer, all of them stop for a while, the clock is
set ahead and back by an hour, and the schedule is edited, paused and enabled again.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from engine.access.capabilities import Tier
from engine.errors import Unavailable
from engine.graph.document import parse_document
from engine.ids.triggers import due_occurrence_id, new_trigger_id, occurrence_execution_id
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.triggers.scheduled_runs import ScheduledRuns
from engine.services.triggers.trigger_checks import TriggerChecks
from engine.services.triggers.trigger_saves import TriggerSaves
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from engine.triggers.trigger import Missed, ScheduleSettings, Trigger, TriggerSettings
from engine.triggers.zones import load_zone
from tests.support.factories import greeting
from tests.support.triggers.cron_oracle import due_times
from tests.support.triggers.fake_clock import FakeClock, ProcessDied

MINUTE, HOUR = 60_000, 3_600_000
START = round(datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp() * 1000)
"""Half a day before the clocks of Europe are set back."""
CRONS = ("* * * * *", "* * * * *", "*/2 * * * *", "*/5 * * * *", "0,7,30-40 * * * *", "15 2 * * *")
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe")


class Period:
    """Time for which a schedule had the same settings and was enabled."""

    def __init__(self, schedule: ScheduleSettings, since: int) -> None:
        self.schedule, self.since, self.until = schedule, since, since
        self._found: list[int] = []

    def close(self) -> list[int]:
        """Return its due times, now that no more come."""
        self._found = self._found or self._find()
        return self._found

    def _find(self) -> list[int]:
        """Return its due times, found minute by minute."""
        start, end = _moment(self.since), _moment(self.until)
        start = start.replace(second=0, microsecond=0)
        zone = load_zone(self.schedule.timezone)
        found = due_times(self.schedule.cron, zone, start, end + timedelta(microseconds=1))
        return [round(each.timestamp() * 1000) for each in found]


class Life:
    """A schedule with all that happens to it, and the due times that it must account for."""

    def __init__(self, store: Store, clock: FakeClock, saves: TriggerSaves, seed: int) -> None:
        self.store, self.clock, self.saves = store, clock, saves
        self.random = random.Random(seed)
        self.periods: list[Period] = []
        self.is_enabled = True
        self.happened: Counter[str] = Counter()

    async def create(self, account: Account, slug: str) -> None:
        """Create the schedule."""
        self.account = account
        schedule = self._choose()
        settings = TriggerSettings(name="Digest", slug=slug, schedule=schedule)
        trigger = await self.saves.create(
            account.id, settings, enabled=True, key_id="", trigger_id=new_trigger_id()
        )
        self.trigger_id = trigger.id
        self.periods.append(Period(schedule, self.clock.now))

    def _choose(self) -> ScheduleSettings:
        return ScheduleSettings(
            cron=self.random.choice(CRONS),
            timezone=self.random.choice(ZONES),
            missed=self.random.choice(list(Missed)),
            inputs={"who": "Ada"},
        )

    async def step(self, runs: ScheduledRuns) -> None:
        """Let something happen, mostly that a minute passes, and look at the schedule."""
        clock, fate = self.clock, self.random.random()
        clock.deaths = self.random.choice((0.0, 0.0, 0.05, 0.3))
        clock.faults = self.random.choice((0.0, 0.0, 0.05, 0.3))
        if fate < 0.01:
            self._note("stopped")
            clock.now += self.random.randrange(90 * MINUTE)
        elif fate < 0.015:
            self._note("ahead")
            clock.now += HOUR
        elif fate < 0.02:
            self._note("back")
            clock.now -= HOUR
        elif fate < 0.04:
            await self._edit()
        elif fate < 0.05 or not self.is_enabled:
            await self._pause()
        clock.now += self.random.randrange(20_000, self.random.choice((61_000, 4 * MINUTE)))
        await self.look(runs)
        await self.store.client.send("DEL", keyspace.active(self.account.id))  # all have ended

    def _note(self, name: str) -> None:
        self.happened[name] += 1

    async def look(self, runs: ScheduledRuns) -> None:
        """Look at the schedule until a process lives to see that nothing is due."""
        while True:
            self._see()
            try:
                while await runs.begin_due(self.account.id, self.trigger_id):
                    pass
            except ProcessDied:
                self._note("died")
                continue
            except Unavailable:
                self._note("unanswered")
                continue
            trigger = await self._read()
            if trigger.held is None:
                return
            self._note("held")
            self.clock.faults = 0.0
            self.clock.now += 1_000

    def _see(self) -> None:
        """Note the time of a look, up to which due times are accounted for."""
        if self.is_enabled:
            period = self.periods[-1]
            period.until = max(period.until, self.clock.now)

    async def _read(self) -> Trigger:
        return await self.store.triggers.get(self.account.id, self.trigger_id)

    async def _save(self, schedule: ScheduleSettings, *, enabled: bool) -> None:
        """Save as a gateway would; a call that fails is repeated."""

        async def change(trigger: Trigger) -> tuple[TriggerSettings, bool]:
            return replace(trigger.settings, schedule=schedule), enabled

        while True:
            self.clock.now += 1
            self._see()
            try:
                await self.saves.change(await self._read(), change)
                return
            except (ProcessDied, Unavailable):
                self._note("save failed")
                self.clock.deaths = self.clock.faults = 0.0

    async def _edit(self) -> None:
        self._note("edited")
        schedule = self._choose()
        await self._save(schedule, enabled=self.is_enabled)
        if self.is_enabled:
            self._begin_period(schedule)

    async def _pause(self) -> None:
        trigger = await self._read()
        assert trigger.settings.schedule is not None
        self._note("paused" if self.is_enabled else "enabled")
        await self._save(trigger.settings.schedule, enabled=not self.is_enabled)
        self.is_enabled = not self.is_enabled
        if self.is_enabled:
            self._begin_period(trigger.settings.schedule)

    def _begin_period(self, schedule: ScheduleSettings) -> None:
        accounted = [at for period in self.periods for at in period.close()[-1:]]
        self.periods.append(Period(schedule, max([self.clock.now, *accounted])))

    def expected(self) -> list[int]:
        """Return the due times of all periods."""
        return [at for period in self.periods for at in period.close()]


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _accounts_for(occurrence: Occurrence, due: list[int]) -> list[int]:
    """Return the due times that an occurrence accounts for."""
    first = due.index(occurrence.at)
    return due[first : first + occurrence.count]


@pytest.fixture
def account_tier() -> Tier:
    return Tier.ENTERPRISE


async def live(
    settings: Settings, store: Store, account: Account, clock: FakeClock, *, seed: int, steps: int
) -> tuple[int, Counter[str]]:
    """Let a schedule live and compare it with the oracle; return its due times and its events."""
    none = cast(Any, None)  # the inputs are texts, and no expression is checked
    media_service = MediaService.from_settings(settings, store)
    acceptance = Acceptance(store=store, media_service=media_service, allow_http=True)
    runs = ScheduledRuns(store=store, acceptance=acceptance)
    checks = TriggerChecks(
        store=store, media_service=media_service, expressions=none, allow_http=False
    )
    saves = TriggerSaves(store=store, checks=checks, begin_due=runs.settle)
    workflow = await store.workflows.create(account.id, parse_document(greeting().body()), [])
    former = await _executions(store, account)
    life = Life(store, clock, saves, seed)
    await life.create(account, workflow.slug)
    for _ in range(steps):
        await life.step(runs)
    clock.deaths = clock.faults = 0.0

    page = await store.occurrences.list(account.id, life.trigger_id, None, 100_000)
    expected = life.expected()
    told = [at for each in page.occurrences for at in _accounts_for(each, expected)]
    assert sorted(told) == expected
    started = [each for each in page.occurrences if each.status is OccurrenceStatus.STARTED]
    ids = {occurrence_execution_id(due_occurrence_id(life.trigger_id, each.at)) for each in started}
    assert await _executions(store, account) - former == ids
    assert len(ids) == len(started)
    return len(expected), life.happened


async def _executions(store: Store, account: Account) -> set[str]:
    key = keyspace.account_executions(account.id)
    return {each.decode() for each in await store.client.send("ZRANGE", key, 0, -1)}


EVENTS = {"stopped", "ahead", "back", "edited", "paused", "enabled", "died", "unanswered", "held"}


async def test_each_due_time_of_a_schedule_has_one_occurrence(
    settings: Settings, store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(store, monkeypatch, START)
    count, happened = await live(settings, store, account, clock, seed=1, steps=300)

    assert count > 150
    assert happened["died"] > 10


@pytest.mark.thorough
@pytest.mark.timeout(900)
async def test_each_of_ten_thousand_due_times_has_one_occurrence(
    settings: Settings, store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(store, monkeypatch, START)
    total, happened = 0, Counter[str]()
    for seed in range(100):
        count, events = await live(settings, store, account, clock, seed=seed, steps=600)
        total, happened = total + count, happened + events
        if total >= 10_000:
            break

    print(f"{total} due times; {dict(happened)}")
    assert total >= 10_000
    assert happened.keys() >= EVENTS
