"""The sweeper: one leader among the workers gives back, sends again and prunes."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from engine import metrics
from engine.errors import EngineError, StorageFailed
from engine.executions.retry import jittered
from engine.services.media import MediaService
from engine.store import Store
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.deliveries import LEASE_MS as DELIVERY_LEASE_MS
from engine.store.executions.executions import RESEND_AFTER_MS
from engine.store.hints import BULK_QUEUE
from engine.store.redis import keyspace
from workers.recovery.clock_jumps import ClockJumpDetector, ClockReading
from workers.recovery.orphan_search import OrphanSearch

TICK_SECONDS = 0.25
LEAD_SECONDS = 1.5
LAPSE_SECONDS = 0.01
"""Delay after the end of another worker's lead before a follower requests it."""
IDLE_SECONDS = 1.0
"""Interval of the search for due hints while no execution is due at any time."""
BUSY_SECONDS = 5.0
"""For this time after the last due hint, each tick searches for hints."""
PRUNE_SECONDS = 60.0
FOLD_SECONDS = 60.0
SWEEP_SECONDS = 3_600.0
"""Interval of the search for large outputs whose execution is gone."""
MAX_OUTPUTS_TO_REMOVE = 10_000
"""Executions whose large outputs wait to be removed; a sweep finds those of others."""
GIVE_BACK_BATCH = 200
DAY_MS = 86_400_000

Outcome = TypeVar("Outcome")

log = logging.getLogger(__name__)


class Sweeper:
    """Does its duties every quarter of a second while it leads; one that fails delays no other.

    A follower requests the lead when that is about to lapse, and not before.

    After the store was out of reach, no worker is taken for dead until a whole lease has passed:
    living workers could not renew theirs either. The same holds after a jump of Redis's clock, by
    which leases are measured. Every sweeper watches for jumps, so that one that takes the lead
    knows of the last ones.
    """

    def __init__(
        self,
        store: Store,
        worker_id: str,
        *,
        lease_seconds: float,
        retention_days: float,
        media_service: MediaService | None = None,
        prunes_executions: bool = True,
    ) -> None:
        self._store = store
        self._media_service = media_service
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._retention_ms = int(retention_days * DAY_MS)
        self._prunes_executions = prunes_executions
        self._orphan_search = OrphanSearch(store)
        self._leads = False
        self.pause = 0.0
        """Seconds until the next tick."""
        self._ticked_at = time.time()
        self._busy_until = 0.0
        self._next_hints_at = 0.0
        # Lease and heartbeats allow for two unnoticed jumps.
        self._jumps = ClockJumpDetector(tolerance=lease_seconds / 4, window=lease_seconds)
        self._must_shorten = True
        self._delivery_lag_ms = 0
        self._delivery_lag_ends = 0.0
        self._recover_after = 0.0
        self._prune_after = 0.0
        self._fold_after = 0.0
        self._sweep_after = 0.0
        self._outputs_to_remove: deque[str] = deque(maxlen=MAX_OUTPUTS_TO_REMOVE)
        self._collecting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Sweep until cancelled."""
        try:
            await self._run()
        finally:
            if self._collecting is not None:
                self._collecting.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._tick()
            except EngineError as error:
                self._lose_lead()
                log.warning("cannot sweep", extra={"reason": error.message})
            except Exception:
                self._lose_lead()
                log.exception("a sweep failed unexpectedly")
            await asyncio.sleep(self.pause)

    def _lose_lead(self) -> None:
        # A leader without readings cannot know which workers live.
        self._leads = False
        self.pause = jittered(TICK_SECONDS)
        self._postpone_recovery()

    async def _tick(self) -> None:
        # The wall clock goes on while a machine sleeps; its other workers have slept as well.
        before, self._ticked_at = self._ticked_at, time.time()
        # A duty that failed as slowly may have done so because the store was out of reach.
        if self._ticked_at - before - self.pause > self._lease_seconds / 2 - TICK_SECONDS:
            self._postpone_recovery()
        called = time.monotonic()
        lead = await self._store.leases.take_lead(self._worker_id, int(LEAD_SECONDS * 1000))
        reading = ClockReading(redis=lead.now / 1000, before=called, after=time.monotonic())
        self._watch_clock(reading)
        if lead.is_own and not self._leads:
            self._must_shorten = True
            await self._check_uptime()
        self._leads = lead.is_own
        if lead.is_own:
            self.pause = TICK_SECONDS
            await self._sweep(time.monotonic(), lead.now)
        else:
            self.pause = lead.left_ms / 1000 + LAPSE_SECONDS

    async def _sweep(self, now: float, redis_ms: int) -> None:
        # This time was compared with the monotonic clock: no jump comes in between.
        await _run_duty("recover", self.recover(redis_ms, seen_only=now < self._recover_after))
        if self._must_shorten:
            await _run_duty("shorten leases", self._shorten(redis_ms))
        if now >= self._next_hints_at:
            await self._send_hints(now, redis_ms)
        await _run_duty("find orphans", self._orphan_search.step())
        # Workers that could not renew their leases could not publish metrics either.
        if now >= max(self._fold_after, self._recover_after):
            self._fold_after = now + FOLD_SECONDS
            await _run_duty("fold metrics", metrics.retire(self._store))
        if now >= self._prune_after and not await _run_duty("prune", self.prune()):
            self._prune_after = now + PRUNE_SECONDS
            self._collect()

    async def _send_hints(self, now: float, redis_ms: int) -> None:
        """Send due hints; rarely while no execution is due at any time.

        An accepted execution is first due after two seconds, so it is found before that.
        """
        has_more = [
            await _run_duty("resend", self.resend()),
            await _run_duty("deliver", self._deliver(redis_ms)),
        ]
        if has_more != [False, False]:
            self._busy_until = now + BUSY_SECONDS
        self._next_hints_at = now + IDLE_SECONDS if now >= self._busy_until else now

    def _watch_clock(self, reading: ClockReading) -> None:
        if not self._jumps.has_reading:
            # The clock may just have jumped: every living worker beats once more within this time.
            self._postpone_recovery(self._lease_seconds / 2)
        compared = self._jumps.compare(reading)
        if not compared.is_steady:
            self._postpone_recovery()
        if compared.jump:
            log.warning("Redis's clock jumped", extra={"seconds": round(compared.jump, 3)})
            self._must_shorten = True
            self._postpone_deliveries(compared.jump)

    def _postpone_deliveries(self, jump: float) -> None:
        """Let running attempts keep their whole lease although the clock jumped ahead."""
        now = time.monotonic()
        before = self._delivery_lag_ms if now < self._delivery_lag_ends else 0
        self._delivery_lag_ms = max(0, before + int(jump * 1000))
        self._delivery_lag_ends = now + DELIVERY_LEASE_MS / 1000

    async def _shorten(self, redis_ms: int) -> None:
        await self._store.leases.shorten(int(self._lease_seconds * 1000), now=redis_ms)
        self._must_shorten = False

    async def _deliver(self, redis_ms: int) -> bool:
        lag_ms = self._delivery_lag_ms if time.monotonic() < self._delivery_lag_ends else 0
        promoted = await self._store.deliveries.promote(redis_ms - lag_ms)
        await self._store.hints.send_deliveries(promoted.references)
        return promoted.has_more

    async def _check_uptime(self) -> None:
        # Leases that ended while the store was down do not prove a death.
        if await self._store.leases.uptime_seconds() < 2 * self._lease_seconds:
            self._postpone_recovery()

    def _postpone_recovery(self, seconds: float | None = None) -> None:
        """Take no worker for dead for some seconds; None: for a lease."""
        spared = self._lease_seconds if seconds is None else seconds
        self._recover_after = max(self._recover_after, time.monotonic() + spared)

    async def recover(self, redis_ms: int = 0, *, seen_only: bool = False) -> None:
        """Give back the executions of dead workers, and send their hints.

        `redis_ms` is the time by which leases are over, 0 for Redis's clock. `seen_only`: only of
        workers whose death was seen, not of those that are merely silent.
        """
        dead = await self._store.leases.dead_workers(now=redis_ms, seen_only=seen_only)
        for worker_id in dead:
            if worker_id != self._worker_id:
                await _run_duty("bury", self._bury(worker_id, redis_ms))

    async def _bury(self, worker_id: str, redis_ms: int) -> None:
        references = await self._store.leases.held(worker_id)
        log.warning("a worker died", extra={"worker": worker_id, "held": len(references)})
        failures: list[BaseException] = []
        for start in range(0, len(references), GIVE_BACK_BATCH):
            batch = references[start : start + GIVE_BACK_BATCH]
            failures += await self._give_back(batch, worker_id)
        if failures:
            raise failures[0]
        await self._store.leases.remove_dead(worker_id, now=redis_ms)

    async def _give_back(self, references: list[str], worker_id: str) -> list[BaseException]:
        """Give executions back; returns the errors."""
        give_back = self._store.walks.give_back
        found = await asyncio.gather(
            *(give_back(reference, worker_id, is_lost=True) for reference in references),
            return_exceptions=True,
        )
        returned = [
            name for name, is_returned in zip(references, found, strict=True) if is_returned is True
        ]
        await self._send(returned)
        metrics.EXECUTIONS_RECOVERED.inc(len(returned))
        return [each for each in found if isinstance(each, BaseException)]

    async def resend(self) -> bool:
        """Send the hints that are due: retries, and unclaimed executions.

        Returns whether any execution is due, now or later.
        """
        # Hints in a long queue are not lost: each is sent again when its turn should have come.
        patience_ms = RESEND_AFTER_MS + await self._store.hints.depth()
        promoted = await self._store.leases.promote(patience_ms)
        await self._send(promoted.references)
        metrics.HINTS_RESENT.inc(len(promoted.references))
        return promoted.has_more

    async def _send(self, references: Sequence[str]) -> None:
        owners = {each: keyspace.parse_reference(each)[0] for each in references}
        large = await self._store.executions.find_bulk_accounts(set(owners.values()))
        bulk = [each for each, owner in owners.items() if owner in large]
        await self._store.hints.send(bulk, BULK_QUEUE)
        await self._store.hints.send([each for each in owners if owners[each] not in large])

    def _collect(self) -> None:
        # Beside the other duties: a bucket may be slow, and the duties must not wait.
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._collect_garbage(), name="collecting")

    async def _collect_garbage(self) -> None:
        await self.remove_outputs()
        if self._media_service is not None:
            await _run_duty("collect", self.collect(self._media_service))

    async def remove_outputs(self) -> None:
        """Remove large outputs of pruned executions, and sometimes of others that are gone.

        A step that was lost with its worker may have left some that no record names.
        """
        await _run_duty("remove outputs", self._remove_outputs())

    async def _remove_outputs(self) -> None:
        while self._outputs_to_remove:
            await self._store.offloaded.remove(
                *keyspace.parse_reference(self._outputs_to_remove[0])
            )
            self._outputs_to_remove.popleft()
        if time.monotonic() >= self._sweep_after:
            self._sweep_after = time.monotonic() + SWEEP_SECONDS
            await self._store.offloaded.sweep()

    async def collect(self, media_service: MediaService) -> None:
        """Remove media that are not needed any more."""
        while await media_service.collect():
            pass

    async def prune(self) -> bool:
        """Remove executions whose retention is over, and versions of workflows that are not kept.

        With a history its archiver removes executions. Removes one batch, so that a large one
        delays no other duty; true when there may be more. Raises Unavailable where there is a
        history, and this process has not its database.
        """
        is_more = await self._store.versions.prune()
        return await self._prune_executions() or is_more

    async def _prune_executions(self) -> bool:
        if not self._prunes_executions:
            return False
        await self._store.archive.require()
        now = await self._store.leases.now()
        pruned = await self._store.leases.prune(now - self._retention_ms)
        await EndedDeliveries(self._store.client).drop(now - self._retention_ms)
        self._outputs_to_remove += pruned.with_objects
        return pruned.executions > 0


async def _run_duty(duty: str, work: Awaitable[Outcome]) -> Outcome | None:
    """Return the result of a duty; None when it failed, which is logged and counted."""
    try:
        return await work
    except StorageFailed:
        pass  # it was logged at its place
    except EngineError as error:
        log.warning("cannot do a duty", extra={"duty": duty, "reason": error.message})
    except Exception:
        log.exception("a duty failed unexpectedly", extra={"duty": duty})
    metrics.SWEEPS_FAILED.labels(duty).inc()
    return None
