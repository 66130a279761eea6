"""Due times of schedules: each gets its occurrence, and most of them a run."""

import asyncio
import logging
from collections.abc import Sequence
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import (
    AccountNotApproved,
    AccountNotFound,
    EngineError,
    RateLimitExceeded,
    TriggerNotFound,
    Unavailable,
)
from engine.ids.triggers import due_occurrence_id, new_occurrence_id
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.targets import SavedWorkflow
from engine.services.triggers.trigger_runs import count_occurrences, fail_reason, make_run
from engine.store import Accepted, Account, RunVerdict, Store
from engine.store.accounts.rate_limits import Window
from engine.store.redis.info import read_now
from engine.store.triggers.starting import NewOccurrence, OccurrenceKind, OccurrenceRefused
from engine.telemetry import metrics
from engine.telemetry.traces.context import CURRENT, TraceContext, new_trace
from engine.triggers.cron import CronTimes, parse_cron
from engine.triggers.due import LATE_MS, DueTimes, next_due, plan_due
from engine.triggers.occurrences import FailReason, Occurrence, OccurrenceStatus, SkipReason
from engine.triggers.trigger import ScheduleSettings, Trigger, TriggerKind

STARTS_OF_STEP = 20
"""Due times of one schedule that start before it is read again."""
RETRY_MS = 1_000
"""Time until another attempt at a due time that the store or the queue refused."""
MOST_STEPS = 200
"""Steps that settle a schedule: 100 starts, and as many records of missed times."""

log = logging.getLogger(__name__)


class _Step(Enum):
    """Outcome of a look at due times, or at one of them."""

    NONE = auto()
    """No further one has come."""
    SETTLED = auto()
    """It has its occurrence."""
    HELD = auto()
    """It waits for another look."""
    CHANGED = auto()
    """Others have changed the trigger, or recorded the occurrence: it must be read again."""


class StartedOccurrence(Struct, frozen=True):
    """Occurrence that has started a run."""

    id: str
    execution_id: str


class _Work(Struct, frozen=True, kw_only=True):
    """A schedule as it was read, with all that its due times need."""

    trigger: Trigger
    schedule: ScheduleSettings
    times: CronTimes
    account: Account
    now: int
    may_wait: bool
    """Whether due times may wait for the rate window, the store or the queue."""

    def next_after(self, at: int) -> int | None:
        """Return the due time after another one."""
        return next_due(self.times, at=at, since=self.trigger.since)


class ScheduledRuns(Struct, frozen=True, kw_only=True):
    """Gives due times their occurrences; any number of processes may do so at once."""

    store: Store
    acceptance: Acceptance

    async def begin_due(self, account_id: str, trigger_id: str) -> bool:
        """Give some due times of a schedule their occurrences; return whether there may be more.

        Raises StoreFull, RecordTooNew or Unavailable.
        """
        return await self._step(account_id, trigger_id, may_wait=True) is _Step.SETTLED

    async def settle(self, trigger: Trigger) -> None:
        """Give all due times of a schedule their occurrences, none of which may wait.

        So a save leaves none to the settings that it replaces. Raises like `begin_due`.
        """
        for _ in range(MOST_STEPS):
            if await self._step(trigger.account_id, trigger.id, may_wait=False) is _Step.NONE:
                return

    async def _step(self, account_id: str, trigger_id: str, *, may_wait: bool) -> _Step:
        work = await self._read(account_id, trigger_id, may_wait)
        if work is None:
            return _Step.NONE
        due = self._plan(work)
        step = _Step.SETTLED
        if due.missed:
            step = await self._record_missed(work, due)
        for at in due.started[:STARTS_OF_STEP]:
            if step is _Step.SETTLED:
                step = await self._begin(work, at)
        is_done = step is _Step.SETTLED and len(due.started) <= STARTS_OF_STEP
        return _Step.NONE if is_done else step

    async def _read(self, account_id: str, trigger_id: str, may_wait: bool) -> _Work | None:
        """Return a schedule with a due time that has come, None for another trigger."""
        try:
            trigger, account, now = await asyncio.gather(
                self.store.triggers.find(account_id, trigger_id),
                self.store.accounts.get(account_id),
                read_now(self.store.client),
            )
        except AccountNotFound:
            return None
        if trigger is None or not trigger.enabled or (trigger.next_at or now + 1) > now:
            return None
        schedule = trigger.settings.schedule
        if schedule is None:
            return None
        return _Work(
            trigger=trigger,
            schedule=schedule,
            times=parse_cron(schedule.cron, schedule.timezone),
            account=account,
            now=now,
            may_wait=may_wait,
        )

    def _plan(self, work: _Work) -> DueTimes:
        trigger, next_at = work.trigger, work.trigger.next_at or 0
        since, now = trigger.since, work.now
        due = plan_due(work.times, work.schedule.missed, next_at=next_at, since=since, now=now)
        if trigger.held != next_at or not due.missed:
            return due
        return DueTimes(started=(next_at,))  # it was looked at in time, and has waited since

    async def _record_missed(self, work: _Work, due: DueTimes) -> _Step:
        """Record missed due times."""
        occurrences = [
            Occurrence(
                id=due_occurrence_id(work.trigger.id, each.at),
                trigger_id=work.trigger.id,
                at=each.at,
                status=OccurrenceStatus.MISSED,
                count=each.count,
            )
            for each in due.missed
        ]
        end = due.started[0] if due.started else work.next_after(due.missed[-1].at)
        return await self._record(work, occurrences, end)

    async def _record(
        self, work: _Work, occurrences: Sequence[Occurrence], next_at: int | None
    ) -> _Step:
        """Record due times that start no run, with the due time that follows them."""
        is_recorded = await self.store.occurrences.record_due(
            work.trigger, occurrences, at=occurrences[0].at, next_at=next_at
        )
        if not is_recorded:
            return _Step.CHANGED
        for each in occurrences:
            count_occurrences(TriggerKind.SCHEDULE, each.status, each.reason, each.count)
        return _Step.SETTLED

    async def _begin(self, work: _Work, at: int) -> _Step:
        """Start the run of a due time, or record the reason for which none starts."""
        trigger = work.trigger
        occurrence_id, next_at = due_occurrence_id(trigger.id, at), work.next_after(at)
        occurrence = NewOccurrence.of_due_time(trigger, occurrence_id, at, next_at)
        try:
            verdict = await self._accept(trigger, work.account, occurrence, new_trace())
        except Unavailable as error:
            return await self._wait(work, at, work.now + RETRY_MS, fail_reason(error))
        except EngineError as error:
            return await self._end(work, at, fail_reason(error))
        except Exception:
            extra = {"account_id": work.account.id, "trigger_id": trigger.id, "due": at}
            log.exception("a due time could not start", extra=extra)
            return await self._end(work, at, FailReason.UNAVAILABLE)
        match verdict:
            case Accepted():
                count_occurrences(TriggerKind.SCHEDULE, OccurrenceStatus.STARTED)
                metrics.SCHEDULE_LATENESS.observe(max(0, verdict.created_at - at) / 1000)
                return _Step.SETTLED
            case OccurrenceRefused(reason="still_running"):
                return await self._end(work, at, SkipReason.STILL_RUNNING)
            case OccurrenceRefused(reason="rate_limited", window=window):
                end = work.now + RETRY_MS if window is None else (window.ends_at + 1) * 1000
                return await self._wait(work, at, end, SkipReason.RATE_LIMITED)
        return _Step.CHANGED

    async def _accept(
        self,
        trigger: Trigger,
        account: Account,
        occurrence: NewOccurrence,
        trace: TraceContext | None,
        depth: int = 1,
    ) -> RunVerdict:
        """Accept the run of an occurrence. Raises what `Acceptance.accept` raises."""
        if not account.approved:
            raise AccountNotApproved
        settings, schedule = trigger.settings, trigger.settings.schedule
        terms = self.store.tiers.terms(account.tier, account.role)
        run = await make_run(self.store, trigger, occurrence, terms, depth)
        if trace is not None:
            run = replace(run, trace=trace.header)
        target = SavedWorkflow(self.store, settings.slug, settings.version)
        inputs = {} if schedule is None else schedule.inputs
        return await self.acceptance.accept(run, target, inputs)

    async def _wait(
        self, work: _Work, at: int, look_at: int, reason: SkipReason | FailReason
    ) -> _Step:
        """Hold a due time, or record the reason when it has waited for long enough.

        A late one, which was missed, waits once.
        """
        trigger = work.trigger
        ends = at + LATE_MS
        is_late = work.now >= ends
        if is_late and trigger.held == at or not work.may_wait:
            return await self._end(work, at, reason)
        look_at = look_at if is_late else min(look_at, ends)
        is_held = await self.store.occurrences.hold(trigger, at, look_at=look_at)
        return _Step.HELD if is_held else _Step.CHANGED

    async def _end(self, work: _Work, at: int, reason: SkipReason | FailReason) -> _Step:
        """Record a due time that starts no run."""
        is_skip = isinstance(reason, SkipReason)
        occurrence = Occurrence(
            id=due_occurrence_id(work.trigger.id, at),
            trigger_id=work.trigger.id,
            at=at,
            status=OccurrenceStatus.SKIPPED if is_skip else OccurrenceStatus.FAILED,
            reason=reason.value,
        )
        return await self._record(work, [occurrence], work.next_after(at))

    async def start_now(self, account: Account, trigger: Trigger, depth: int) -> StartedOccurrence:
        """Start a run of a schedule now, whatever its due times; a disabled one may start too.

        `depth` is that of the run, as for other runs. Raises RateLimitExceeded, TriggerNotFound,
        and what `Acceptance.accept` raises.
        """
        now = await read_now(self.store.client)
        occurrence = NewOccurrence(
            id=new_occurrence_id(), trigger_id=trigger.id, at=now, kind=OccurrenceKind.BY_HAND
        )
        match await self._accept(trigger, account, occurrence, CURRENT.get(), depth):
            case Accepted():
                count_occurrences(TriggerKind.SCHEDULE, OccurrenceStatus.STARTED)
                return StartedOccurrence(occurrence.id, occurrence.execution_id)
            case OccurrenceRefused(reason="rate_limited", window=Window() as window):
                tier = account.tier.value
                raise RateLimitExceeded(tier, window.limit, window.seconds_left)
        raise TriggerNotFound
