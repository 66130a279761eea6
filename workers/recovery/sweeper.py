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
from engine.store.deliveries import LEASE_MS as DELIVERY_LEASE_MS
from engine.store.executions.executions import RESEND_AFTER_MS
from engine.store.hints import BULK_QUEUE
from engine.store.redis import keyspace
from workers.recovery.clock_jumps import ClockJumpDetector, ClockReading
from workers.recovery.orphan_search import OrphanSearch

TICK_SECONDS = 0.25
LEAD_SECONDS = 1.5
LAPSE_SECONDS = 0.01
"""So long after the end of another one's lead a follower asks for it."""
IDLE_SECONDS = 1.0
"""How often hints are looked for while none is due at any time."""
BUSY_SECONDS = 5.0
"""So long after the last one hints are looked for with every tick."""
PRUNE_SECONDS = 60.0
FOLD_SECONDS = 60.0
SWEEP_SECONDS = 3_600.0
"""How often large outputs are looked for whose execution is gone."""
MOST_LEFT = 10_000
"""Executions whose large outputs wait to be removed; those of others are found by a sweep."""
GIVEN_BACK_AT_ONCE = 200
DAY_MS = 86_400_000

Outcome = TypeVar("Outcome")

log = logging.getLogger(__name__)


class Sweeper:
    """Does its duties every quarter of a second while it leads; one that fails holds up no other.

    A follower asks for the lead when that is about to lapse, and not before.

    After the store was out of reach, nobody is taken for dead until a whole lease has passed:
    living workers could not renew theirs either. The same holds after a jump of Redis's clock,
    which leases are reckoned by. Every sweeper watches for jumps, so that one that takes the lead
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
    ) -> None:
        self._store = store
        self._media_service = media_service
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._retention_ms = int(retention_days * DAY_MS)
        self._orphan_search = OrphanSearch(store)
        self._leads = False
        self.pause = 0.0
        """Seconds until the next tick."""
        self._ticked_at = time.time()
        self._busy_until = 0.0
        self._hint_after = 0.0
        # Lease and beats leave room for two jumps that go unnoticed.
        self._jumps = ClockJumpDetector(tolerance=lease_seconds / 4, window=lease_seconds)
        self._must_shorten = True
        self._delivery_lag_ms = 0
        self._delivery_lag_ends = 0.0
        self._recover_after = 0.0
        self._prune_after = 0.0
        self._fold_after = 0.0
        self._sweep_after = 0.0
        self._left: deque[str] = deque(maxlen=MOST_LEFT)
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
        # A leader that could not look knows nothing of who lives.
        self._leads = False
        self.pause = jittered(TICK_SECONDS)
        self._spare_all()

    async def _tick(self) -> None:
        # The wall clock goes on while a machine sleeps; the others have slept as well.
        before, self._ticked_at = self._ticked_at, time.time()
        # A duty that failed as slowly may have done so because the store was out of reach.
        if self._ticked_at - before - self.pause > self._lease_seconds / 2 - TICK_SECONDS:
            self._spare_all()
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
        # By the time that was compared with the monotonic clock: no jump comes in between.
        await _do("recover", self.recover(redis_ms, seen_only=now < self._recover_after))
        if self._must_shorten:
            await _do("shorten leases", self._shorten(redis_ms))
        if now >= self._hint_after:
            await self._send_hints(now, redis_ms)
        await _do("find orphans", self._orphan_search.step())
        # Whoever is spared could not put metrics either.
        if now >= max(self._fold_after, self._recover_after):
            self._fold_after = now + FOLD_SECONDS
            await _do("fold metrics", metrics.retire(self._store))
        if now >= self._prune_after and not await _do("prune", self.prune()):
            self._prune_after = now + PRUNE_SECONDS
            self._collect()

    async def _send_hints(self, now: float, redis_ms: int) -> None:
        """Send what is due; seldom while nothing is due at any time.

        What is accepted is due two seconds later at first, so it is seen before that.
        """
        has_more = [
            await _do("resend", self.resend()),
            await _do("deliver", self._deliver(redis_ms)),
        ]
        if has_more != [False, False]:
            self._busy_until = now + BUSY_SECONDS
        self._hint_after = now + IDLE_SECONDS if now >= self._busy_until else now

    def _watch_clock(self, reading: ClockReading) -> None:
        if not self._jumps.has_reading:
            # The clock may just have jumped: every living worker beats once more within this time.
            self._spare_all(self._lease_seconds / 2)
        compared = self._jumps.compare(reading)
        if not compared.is_steady:
            self._spare_all()
        if compared.jump:
            log.warning("Redis's clock jumped", extra={"seconds": round(compared.jump, 3)})
            self._must_shorten = True
            self._postpone_deliveries(compared.jump)

    def _postpone_deliveries(self, jump: float) -> None:
        """Let attempts under way keep their whole lease although the clock jumped ahead."""
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
        # Leases that ended while the store was down say nothing of who lives.
        if await self._store.leases.uptime_seconds() < 2 * self._lease_seconds:
            self._spare_all()

    def _spare_all(self, seconds: float | None = None) -> None:
        """Take nobody for dead for so long; None: for a lease."""
        spared = self._lease_seconds if seconds is None else seconds
        self._recover_after = max(self._recover_after, time.monotonic() + spared)

    async def recover(self, redis_ms: int = 0, *, seen_only: bool = False) -> None:
        """Give back what dead workers held, and send its hints.

        `redis_ms` is the time by which leases are over, 0 for Redis's clock. `seen_only`: only of
        workers whose death was seen, not of those that are merely silent.
        """
        dead = await self._store.leases.dead_workers(now=redis_ms, seen_only=seen_only)
        for worker_id in dead:
            if worker_id != self._worker_id:
                await _do("bury", self._bury(worker_id, redis_ms))

    async def _bury(self, worker_id: str, redis_ms: int) -> None:
        references = await self._store.leases.held(worker_id)
        log.warning("a worker died", extra={"worker": worker_id, "held": len(references)})
        failures: list[BaseException] = []
        for start in range(0, len(references), GIVEN_BACK_AT_ONCE):
            batch = references[start : start + GIVEN_BACK_AT_ONCE]
            failures += await self._give_back(batch, worker_id)
        if failures:
            raise failures[0]
        await self._store.leases.remove_dead(worker_id, now=redis_ms)

    async def _give_back(self, references: list[str], worker_id: str) -> list[BaseException]:
        """Give back what can be given back; the errors of the rest."""
        give_back = self._store.walks.give_back
        found = await asyncio.gather(
            *(give_back(reference, worker_id, is_lost=True) for reference in references),
            return_exceptions=True,
        )
        given = [name for name, is_given in zip(references, found, strict=True) if is_given is True]
        await self._send(given)
        metrics.EXECUTIONS_RECOVERED.inc(len(given))
        return [each for each in found if isinstance(each, BaseException)]

    async def resend(self) -> bool:
        """Send the hints that are due: retries, and what nobody has claimed.

        Returns whether any execution is due, now or later.
        """
        # What waits in a long queue is not lost: it is sent again when its turn should have come.
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
        # Beside the other duties: a bucket may take its time, and those have none.
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._let_go(), name="collecting")

    async def _let_go(self) -> None:
        await self.remove_outputs()
        if self._media_service is not None:
            await _do("collect", self.collect(self._media_service))

    async def remove_outputs(self) -> None:
        """Remove large outputs of executions that were forgotten, and at times what else is left.

        A step that was lost with its worker may have left some that no record names.
        """
        await _do("remove outputs", self._remove_outputs())

    async def _remove_outputs(self) -> None:
        while self._left:
            await self._store.offloaded.remove(*keyspace.parse_reference(self._left[0]))
            self._left.popleft()
        if time.monotonic() >= self._sweep_after:
            self._sweep_after = time.monotonic() + SWEEP_SECONDS
            await self._store.offloaded.sweep()

    async def collect(self, media_service: MediaService) -> None:
        """Let go of media that nobody needs any more."""
        while await media_service.collect():
            pass

    async def prune(self) -> bool:
        """Remove executions whose retention is over, and versions of workflows that are not kept.

        One batch, so that a large one keeps nobody waiting; true when there may be more.
        """
        now = await self._store.leases.now()
        pruned = await self._store.leases.prune(now - self._retention_ms)
        self._left += pruned.with_objects
        is_more = await self._store.versions.prune()
        return is_more or pruned.executions > 0


async def _do(duty: str, doing: Awaitable[Outcome]) -> Outcome | None:
    """What a duty comes to; None when it failed, which is told and counted."""
    try:
        return await doing
    except StorageFailed:
        pass  # said where it happened
    except EngineError as error:
        log.warning("cannot do a duty", extra={"duty": duty, "reason": error.message})
    except Exception:
        log.exception("a duty failed unexpectedly", extra={"duty": duty})
    metrics.SWEEPS_FAILED.labels(duty).inc()
    return None
