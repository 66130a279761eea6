"""Due times of schedules, on a Redis whose clock the tests set."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from engine.access.capabilities import Tier
from engine.errors import (
    AccountNotApproved,
    InvalidInputs,
    QueueFull,
    RateLimitExceeded,
    TriggerNotFound,
    Unavailable,
)
from engine.ids.triggers import due_occurrence_id, new_trigger_id
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.triggers.scheduled_runs import ScheduledRuns
from engine.settings import Settings
from engine.store import Account, ReplaceRefusal, Store
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.triggers import keys
from engine.telemetry.traces import context
from engine.telemetry.traces.context import TraceContext
from engine.triggers.occurrences import Occurrence
from engine.triggers.trigger import (
    Missed,
    Overlap,
    ScheduleSettings,
    Trigger,
    TriggerSettings,
)
from tests.support.factories import Graph, Runner, greeting
from tests.support.triggers.fake_clock import FakeClock

MINUTE = 60_000
NOON = round(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def clock(store: Store, account: Account, monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return FakeClock(store, monkeypatch, NOON - 5 * MINUTE)


@pytest.fixture
def runs(settings: Settings, store: Store) -> ScheduledRuns:
    media_service = MediaService.from_settings(settings, store)
    acceptance = Acceptance(store=store, media_service=media_service, allow_http=True)
    return ScheduledRuns(store=store, acceptance=acceptance)


class Schedules:
    """Schedules of an account, and what became of their due times."""

    def __init__(self, runner: Runner, clock: FakeClock) -> None:
        self.runner, self.store, self.account = runner, runner.store, runner.account
        self.clock = clock

    async def save(
        self,
        graph: Graph | str | None = None,
        *,
        next_at: int | None = NOON,
        max_credits: int | None = None,
        version: int | None = None,
        **members: Any,
    ) -> Trigger:
        """Create a schedule; `members` are those of its kind."""
        schedule = {"cron": "* * * * *", "inputs": {"who": "Ada"}, **members}
        slug = graph if isinstance(graph, str) else await self.runner.save(graph or greeting())
        settings = TriggerSettings(
            name="Digest",
            slug=slug,
            version=version,
            max_credits=max_credits,
            schedule=ScheduleSettings(**schedule),
        )
        return await self.store.triggers.create(
            self.account.id,
            new_trigger_id(),
            settings,
            enabled=True,
            key_id="",
            since=self.clock.now,
            next_at=next_at,
        )

    async def get(self, trigger: Trigger) -> Trigger:
        """Return the trigger as it is now."""
        return await self.store.triggers.get(self.account.id, trigger.id)

    async def occurrences(self, trigger: Trigger) -> Sequence[Occurrence]:
        """Return its occurrences, oldest first."""
        page = await self.store.occurrences.list(self.account.id, trigger.id, None, 5_000)
        return page.occurrences[::-1]

    async def told(self, trigger: Trigger) -> list[tuple[int, str, str]]:
        """Return the minutes after noon, statuses and reasons of its occurrences."""
        return [
            ((each.at - NOON) // MINUTE, each.status.value, each.reason)
            for each in await self.occurrences(trigger)
        ]

    async def record(self, execution_id: str) -> dict[str, bytes]:
        """Return the record of an execution."""
        key = keyspace.execution(self.account.id, execution_id)
        return parse_hash(await self.store.client.send("HGETALL", key))

    async def end(self, execution_id: str) -> None:
        """Take an execution for one that has ended."""
        await self.store.client.send("SREM", keyspace.active(self.account.id), execution_id)

    async def all_executions(self) -> set[str]:
        """Return the ids of all executions of the account."""
        key = keyspace.account_executions(self.account.id)
        return {each.decode() for each in await self.store.client.send("ZRANGE", key, 0, -1)}


@pytest.fixture
def schedules(runner: Runner, clock: FakeClock) -> Schedules:
    return Schedules(runner, clock)


async def begin(runs: ScheduledRuns, trigger: Trigger) -> None:
    while await runs.begin_due(trigger.account_id, trigger.id):
        pass


async def test_a_due_time_begins_a_trace_while_tracing_is_on(
    schedules: Schedules, runs: ScheduledRuns
) -> None:
    schedules.clock.now = NOON
    account = schedules.account

    async def trace_of_due() -> bytes | None:
        trigger = await schedules.save()
        await begin(runs, trigger)
        [row] = await schedules.occurrences(trigger)
        return (await schedules.record(str(row.execution_id))).get("trace")

    without = await trace_of_due()
    context.set_sampler(lambda trace_id, is_caller_sampled: False)
    token = context.CURRENT.set(TraceContext("1" * 32, "2" * 16, True))
    try:
        headers = [await trace_of_due(), await trace_of_due()]
        started = await runs.start_now(account, await schedules.save(), 1)
    finally:
        context.CURRENT.reset(token)
        context.set_sampler(None)

    assert without is None
    traces = [context.recorded_trace((each or b"").decode()) for each in headers]
    assert [each and (each.span_id, each.is_sampled) for each in traces] == [
        (context.NO_SPAN, False)
    ] * 2
    assert headers[0] != headers[1]
    by_hand = (await schedules.record(started.execution_id))["trace"]
    assert by_hand == f"00-{'1' * 32}-{'2' * 16}-01".encode()


async def test_nothing_begins_before_its_time(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save()
    clock.now = NOON - 1

    assert not await runs.begin_due(trigger.account_id, trigger.id)

    assert await schedules.occurrences(trigger) == []
    assert await schedules.all_executions() == set()


async def test_a_due_time_starts_one_run_with_the_inputs_of_its_schedule(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save(max_credits=7)
    clock.now = NOON + 300

    await begin(runs, trigger)
    await begin(runs, trigger)

    [occurrence] = await schedules.occurrences(trigger)
    assert (occurrence.at, occurrence.status, occurrence.reason) == (NOON, "started", "")
    assert occurrence.id == due_occurrence_id(trigger.id, NOON)
    assert await schedules.all_executions() == {occurrence.execution_id}
    record = await schedules.record(occurrence.execution_id or "")
    assert (record["source"], record["key"], record["created"]) == (
        b"trigger",
        b"",
        b"%d" % clock.now,
    )
    assert record["trigger"].decode() == trigger.id
    assert record["occurrence"].decode() == occurrence.id
    assert b"Ada" in record["inputs"]
    after = await schedules.get(trigger)
    assert (after.next_at, after.last, after.last_run) == (
        NOON + MINUTE,
        occurrence,
        occurrence.execution_id,
    )


async def test_missed_times_are_told_by_the_policy(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    saved = {each: await schedules.save(cron="*/5 * * * *", missed=each) for each in Missed}
    clock.now = NOON + 17 * MINUTE

    for trigger in saved.values():
        await begin(runs, trigger)

    missed, started = ("missed", ""), ("started", "")
    times = (0, 5, 10, 15)
    policies = {
        Missed.SKIP: (missed,) * 4,
        Missed.LAST: (missed, missed, missed, started),
        Missed.ALL: (started,) * 4,
    }
    for policy, trigger in saved.items():
        expected = [(at, *each) for at, each in zip(times, policies[policy], strict=True)]
        assert await schedules.told(trigger) == expected
        assert (await schedules.get(trigger)).next_at == NOON + 20 * MINUTE


async def test_the_oldest_of_very_many_missed_times_have_one_occurrence(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save(missed=Missed.LAST)
    clock.now = NOON + 5_001 * MINUTE + 10_000

    await begin(runs, trigger)

    occurrences = await schedules.occurrences(trigger)
    assert len(occurrences) == 1_002
    assert (occurrences[0].at, occurrences[0].count) == (NOON, 4_001)
    assert sum(each.count for each in occurrences) == 5_002
    assert [each.status.value for each in occurrences[-3:]] == ["missed", "missed", "started"]


async def test_an_occurrence_may_not_overlap_with_the_run_of_the_last_one(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save(overlap=Overlap.SKIP)
    for minute in range(2):
        clock.now = NOON + minute * MINUTE
        await begin(runs, trigger)
    first = (await schedules.get(trigger)).last_run
    await schedules.end(first or "")
    clock.now += MINUTE
    await begin(runs, trigger)

    assert await schedules.told(trigger) == [
        (0, "started", ""),
        (1, "skipped", "still_running"),
        (2, "started", ""),
    ]


class TestFullWindows:
    """Of an account with a bound on its runs."""

    @pytest.fixture
    def account_tier(self) -> Tier:
        return Tier.FREE

    async def fill(self, schedules: Schedules, runs: ScheduledRuns) -> int:
        """Use the window up; return the number of runs that filled it."""
        trigger = await schedules.save(next_at=NOON + 10_000 * MINUTE)
        for count in range(1_000):
            try:
                started = await runs.start_now(schedules.account, trigger, 1)
            except RateLimitExceeded as refused:
                assert 0 < refused.context["retryAfter"] <= 60
                return count
            await schedules.end(started.execution_id)
        raise AssertionError

    async def test_a_due_time_waits_for_the_end_of_the_window(
        self, schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
    ) -> None:
        half_past = NOON + 30_000
        trigger = await schedules.save(cron="0 * * * *", next_at=half_past)
        clock.now = half_past + 100
        await self.fill(schedules, runs)
        await begin(runs, trigger)

        waiting = await schedules.get(trigger)
        assert (waiting.held, waiting.next_at, waiting.last) == (half_past, half_past, None)
        clock.now = NOON + MINUTE + 1_000
        await begin(runs, trigger)

        assert await schedules.told(trigger) == [(0, "started", "")]
        assert (await schedules.get(trigger)).held is None

    async def test_a_due_time_that_has_waited_for_a_minute_is_skipped(
        self, schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
    ) -> None:
        trigger = await schedules.save()
        clock.now = NOON
        await self.fill(schedules, runs)
        await begin(runs, trigger)
        assert (await schedules.get(trigger)).held == NOON
        clock.now = NOON + MINUTE
        await self.fill(schedules, runs)
        await begin(runs, trigger)

        assert await schedules.told(trigger) == [(0, "skipped", "rate_limited")]
        assert (await schedules.get(trigger)).held == NOON + MINUTE

    async def test_a_missed_time_that_starts_late_waits_once(
        self, schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
    ) -> None:
        trigger = await schedules.save(cron="0 12 * * *")
        clock.now = NOON + 30 * MINUTE
        await self.fill(schedules, runs)
        await begin(runs, trigger)
        assert (await schedules.get(trigger)).held == NOON

        clock.now += 70_000
        await begin(runs, trigger)

        assert await schedules.told(trigger) == [(0, "started", "")]

    async def test_a_save_leaves_no_due_time_waiting(
        self, schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
    ) -> None:
        trigger = await schedules.save()
        clock.now = NOON
        await self.fill(schedules, runs)

        await runs.settle(trigger)

        assert await schedules.told(trigger) == [(0, "skipped", "rate_limited")]
        assert (await schedules.get(trigger)).next_at == NOON + MINUTE


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"graph": "gone"}, "workflow_not_runnable"),
        ({"version": 9}, "workflow_not_runnable"),
        ({"inputs": {"who": 5}}, "invalid_inputs"),
    ],
)
async def test_a_run_that_cannot_start_leaves_its_reason(
    schedules: Schedules,
    runs: ScheduledRuns,
    clock: FakeClock,
    members: dict[str, Any],
    reason: str,
) -> None:
    trigger = await schedules.save(**members)
    clock.now = NOON + 100
    await begin(runs, trigger)

    assert await schedules.told(trigger) == [(0, "failed", reason)]
    assert (await schedules.get(trigger)).next_at == NOON + MINUTE
    assert await schedules.all_executions() == set()


async def test_an_account_that_is_not_approved_starts_nothing(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save()
    account = await schedules.store.accounts.change(schedules.account.id, approved=False)
    clock.now = NOON
    await begin(runs, trigger)

    assert await schedules.told(trigger) == [(0, "failed", "account_not_approved")]
    with pytest.raises(AccountNotApproved):
        await runs.start_now(account, trigger, 1)


async def test_a_queue_that_is_full_for_a_minute_fails_the_due_time(
    schedules: Schedules,
    runs: ScheduledRuns,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trigger = await schedules.save()

    async def refuse(*_: object) -> None:
        raise QueueFull

    monkeypatch.setattr(schedules.store.acceptance, "accept", refuse)
    for milliseconds in (0, 1_000, 59_000):
        clock.now = NOON + milliseconds
        await begin(runs, trigger)
        assert (await schedules.get(trigger)).held == NOON
    clock.now = NOON + MINUTE
    await begin(runs, trigger)
    assert await schedules.told(trigger) == [(0, "failed", "unavailable")]

    monkeypatch.undo()


async def test_a_fault_of_the_code_is_told_as_well(
    schedules: Schedules,
    runs: ScheduledRuns,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trigger = await schedules.save()

    async def fail(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(schedules.store.acceptance, "accept", fail)
    clock.now = NOON
    await begin(runs, trigger)

    assert await schedules.told(trigger) == [(0, "failed", "unavailable")]


async def test_a_disabled_schedule_and_a_deleted_one_start_nothing(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    paused, deleted = await schedules.save(), await schedules.save()
    await schedules.store.triggers.replace(
        paused, paused.settings, enabled=False, since=clock.now, next_at=None
    )
    await schedules.store.triggers.delete(deleted)
    clock.now = NOON
    await begin(runs, paused)
    await begin(runs, deleted)

    assert await schedules.all_executions() == set()


async def test_a_run_may_be_started_by_hand_whatever_is_due(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save(overlap=Overlap.SKIP)

    started = await runs.start_now(schedules.account, trigger, 3)
    again = await runs.start_now(schedules.account, trigger, 1)

    assert await schedules.all_executions() == {started.execution_id, again.execution_id}
    record = await schedules.record(started.execution_id)
    assert (record["occurrence"].decode(), record["depth"]) == (started.id, b"3")
    assert (await schedules.get(trigger)).next_at == NOON
    assert [each.at for each in await schedules.occurrences(trigger)] == [clock.now] * 2


async def test_a_start_by_hand_is_refused_as_other_runs_are(
    schedules: Schedules, runs: ScheduledRuns
) -> None:
    trigger = await schedules.save(inputs={"who": 5})
    with pytest.raises(InvalidInputs):
        await runs.start_now(schedules.account, trigger, 1)

    await schedules.store.triggers.delete(trigger)
    fit = ScheduleSettings(cron="* * * * *", inputs={"who": "Ada"})
    trigger = replace(trigger, settings=replace(trigger.settings, schedule=fit))
    with pytest.raises(TriggerNotFound):
        await runs.start_now(schedules.account, trigger, 1)
    assert await schedules.all_executions() == set()


async def test_a_due_time_that_has_its_occurrence_cannot_be_the_next_one(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save()
    clock.now = NOON
    await begin(runs, trigger)
    begun = await schedules.get(trigger)
    replace_trigger = partial(schedules.store.triggers.replace, begun, begun.settings, enabled=True)

    refused = await replace_trigger(since=clock.now, next_at=NOON)
    saved = await replace_trigger(since=clock.now, next_at=begun.next_at)

    assert refused is ReplaceRefusal.CHANGED
    assert isinstance(saved, Trigger)
    assert saved.next_at == NOON + MINUTE


@pytest.mark.parametrize("members", [{}, {"inputs": {"who": 5}}, {"missed": Missed.SKIP}])
async def test_a_due_time_that_is_due_once_more_passes(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock, members: dict[str, Any]
) -> None:
    trigger = await schedules.save(**members)
    clock.now = NOON + (70_000 if "missed" in members else 0)
    await begin(runs, trigger)
    before = await schedules.told(trigger)
    key = keys.triggers(trigger.account_id)
    await schedules.store.client.send("HSET", key, f"{trigger.id}.next", NOON)
    await begin(runs, trigger)

    assert await schedules.told(trigger) == before
    assert (await schedules.get(trigger)).next_at == NOON + len(before) * MINUTE


async def test_a_store_that_is_away_leaves_the_due_time_to_the_next_look(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    trigger = await schedules.save()
    clock.now, clock.faults = NOON, 1.0
    with pytest.raises(Unavailable):
        await begin(runs, trigger)
    clock.faults = 0.0
    await begin(runs, trigger)

    assert await schedules.told(trigger) == [(0, "started", "")]


async def test_the_oldest_due_time_that_nobody_has_begun_is_known(
    schedules: Schedules, runs: ScheduledRuns, clock: FakeClock
) -> None:
    due = schedules.store.occurrences.due
    later, trigger = await schedules.save(next_at=NOON + 5_000), await schedules.save()
    assert await due.first_due(NOON - 1) is None

    clock.now = NOON + 7_000

    assert await due.first_due(clock.now) == NOON
    await begin(runs, trigger)
    assert await due.first_due(clock.now) == NOON + 5_000
    await begin(runs, later)
    assert await due.first_due(clock.now) is None
