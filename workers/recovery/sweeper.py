"""The sweeper: one leader among the workers, with duties that repair, send again and remove."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from engine.errors import EngineError
from engine.services.media import MediaService
from engine.store import Store
from engine.store.redis import process_keys
from workers.feeding.feeders import Feeders
from workers.recovery.clock import ClockReading, RecoveryClock
from workers.recovery.duties.canaries import DueCanaries
from workers.recovery.duties.dead_gateways import DeadGateways
from workers.recovery.duties.dead_workers import DeadWorkers, GoneMetrics, LongLeases
from workers.recovery.duties.due_feeds import DueBatches, DueChildren, DueSchedules
from workers.recovery.duties.due_hints import DueDeliveries, DueExecutions
from workers.recovery.duties.last_hour import LastHourSamples
from workers.recovery.duties.orphans import OrphanSearch
from workers.recovery.duties.removal import (
    LeftOutputs,
    LostOutputs,
    OldExecutions,
    OldVersions,
    UnneededMedia,
)
from workers.recovery.duty import Duty, ScheduledDuty
from workers.recovery.leader import Leader

TICK_SECONDS = 0.25
LEAD_SECONDS = 1.5

log = logging.getLogger(__name__)


class Sweeper:
    """Does its duties every quarter of a second while it leads; one that fails stops no other.

    Followers watch Redis's clock too, so that one that takes the lead knows of the last jumps.
    """

    def __init__(
        self,
        store: Store,
        worker_id: str,
        clock: RecoveryClock,
        duties: Sequence[Duty],
        last_silence: Callable[[], float] | None = None,
    ) -> None:
        """`last_silence` is that of the worker's heartbeat."""
        self._store = store
        self.clock = clock
        self._duties = tuple(map(ScheduledDuty, duties))
        self._slow: dict[ScheduledDuty, asyncio.Task[None]] = {}
        self.leader = Leader(
            store.leases,
            worker_id,
            key=process_keys.leader(),
            lead_seconds=LEAD_SECONDS,
            renew_seconds=TICK_SECONDS,
        )
        self._ticked_at = time.time()
        self._last_silence = last_silence
        self._read_at = time.monotonic()
        """Time of the last reading of Redis's clock."""

    async def run(self) -> None:
        """Sweep until cancelled."""
        try:
            while True:
                await self._tick_safely()
                await asyncio.sleep(self.leader.pause)
        finally:
            for task in self._slow.values():
                task.cancel()

    async def _tick_safely(self) -> None:
        try:
            await self.tick()
        except EngineError as error:
            self._lose_lead()
            log.warning("cannot sweep", extra={"reason": error.message})
        except Exception:
            self._lose_lead()
            log.exception("a sweep failed unexpectedly")

    def _lose_lead(self) -> None:
        # A leader without readings cannot know which workers live.
        self.leader.lose()
        self.clock.spare_workers()

    async def tick(self) -> None:
        """Request the lead, and do the duties that are due if it is ours. Raises Unavailable."""
        self._spare_after_sleep()
        was_leading, called = self.leader.is_leading, time.monotonic()
        lead = await self.leader.request()
        self._spare_after_silence(called)
        self.clock.add(ClockReading(redis=lead.now / 1000, before=called, after=time.monotonic()))
        if not lead.is_own:
            for duty in self._duties:
                duty.rest()
            return
        if not was_leading:
            await self._begin_lead()
        for duty in self._duties:
            await self._do(duty)

    def _spare_after_sleep(self) -> None:
        """Spare workers if this tick comes late: the store or this machine may have been away.

        The wall clock goes on while a machine sleeps; its other workers have slept as well. A duty
        that failed as slowly may have done so because the store was out of reach.
        """
        before, self._ticked_at = self._ticked_at, time.time()
        late = self._ticked_at - before - self.leader.pause
        if late > self.clock.lease_seconds / 2 - TICK_SECONDS:
            self.clock.spare_workers()

    def _spare_after_silence(self, called: float) -> None:
        """Spare workers if the store was out of reach between two requests, which may be far apart.

        The heartbeat knows that; without one, any store may have been.
        """
        before, self._read_at = self._read_at, called
        lease = self.clock.lease_seconds
        if self._last_silence is not None:
            silence = self._last_silence()
            self.clock.spare_workers(max(0.0, silence + lease - time.monotonic()))
        elif called - before > lease / 2 + TICK_SECONDS:
            self.clock.spare_workers()

    async def _begin_lead(self) -> None:
        self.clock.must_shorten_leases = True
        # Leases that ended while the store was down do not prove a death.
        if await self._store.leases.uptime_seconds() < 2 * self.clock.lease_seconds:
            self.clock.spare_workers()

    async def _do(self, scheduled: ScheduledDuty) -> None:
        running = self._slow.get(scheduled)
        if running is not None and not running.done():
            scheduled.show_lag()
        elif not scheduled.is_due():
            return
        elif scheduled.duty.is_slow:
            self._slow[scheduled] = asyncio.create_task(scheduled.attempt())
        else:
            await scheduled.attempt()


def sweeper_duties(
    store: Store,
    worker_id: str,
    clock: RecoveryClock,
    *,
    retention_days: float,
    media_service: MediaService,
    feeders: Feeders,
    has_history: bool,
) -> Sequence[Duty]:
    """Return the duties of a sweeper, the most urgent first."""
    executions = OldExecutions(store, retention_days)
    return (
        DeadWorkers(store, worker_id, clock),
        LongLeases(store, clock),
        DueExecutions(store, clock),
        DueDeliveries(store, clock),
        DueSchedules(store, store.occurrences.due, clock, feeders.schedules),
        DueChildren(store, store.children.feeding.due, clock, feeders.children),
        DueBatches(store, store.feeding.due, clock, feeders.batches),
        DueCanaries(store, clock),
        DeadGateways(store, clock),
        OrphanSearch(store),
        GoneMetrics(store, clock),
        LastHourSamples(store),
        OldVersions(store),
        *(() if has_history else (executions, LeftOutputs(store, executions.with_outputs))),
        LostOutputs(store),
        UnneededMedia(media_service),
    )
