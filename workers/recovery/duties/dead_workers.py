"""Recovery from dead workers: their executions go to others."""

import asyncio
import logging

from engine.ids import partitions
from engine.services.metrics import publishing
from engine.store import Store
from engine.telemetry import metrics
from workers.recovery.clock import RecoveryClock
from workers.recovery.duties.due_hints import send_walk_hints
from workers.recovery.duty import Duty, attempt

GIVE_BACK_BATCH = 200
FOLD_SECONDS = 60.0
READS_AT_ONCE = 16_384
"""Reads of one run: each dead worker costs one for each partition."""

log = logging.getLogger(__name__)


class DeadWorkers(Duty):
    """Gives back the executions of dead workers, and sends their hints.

    While the clock spares silent workers, only those are buried whose death was seen.
    """

    name = "recover"

    def __init__(self, store: Store, worker_id: str, clock: RecoveryClock) -> None:
        self._store = store
        self._worker_id = worker_id
        self._clock = clock
        self._buried = 0
        """Position among the dead workers."""

    async def run(self) -> bool:
        """Bury dead workers but the own one, a bounded number of them. Raises Unavailable."""
        now_ms, seen_only = self._clock.redis_ms, self._clock.spares_silent_workers
        found = await self._store.leases.dead_workers(now=now_ms, seen_only=seen_only)
        dead = [each for each in found if each != self._worker_id]
        most = max(1, READS_AT_ONCE // partitions.count())
        # Those that cannot be buried stay among them, and must delay no other.
        start = self._buried % len(dead) if len(dead) > most else 0
        self._buried = start + most
        for worker_id in (dead[start:] + dead[:start])[:most]:
            await attempt("bury", self._bury(worker_id, now_ms))
        return False

    async def _bury(self, worker_id: str, now_ms: int | None) -> None:
        references = await self._store.leases.held(worker_id)
        log.warning("a worker died", extra={"worker_id": worker_id, "held": len(references)})
        failures: list[BaseException] = []
        for start in range(0, len(references), GIVE_BACK_BATCH):
            batch = references[start : start + GIVE_BACK_BATCH]
            failures += await self._give_back(batch, worker_id)
        if failures:
            raise failures[0]
        await self._store.leases.remove_dead(worker_id, now=now_ms)

    async def _give_back(self, references: list[str], worker_id: str) -> list[BaseException]:
        """Give executions back; return the errors."""
        give_back = self._store.walks.give_back
        outcomes = await asyncio.gather(
            *(give_back(reference, worker_id, is_lost=True) for reference in references),
            return_exceptions=True,
        )
        returned = [
            reference
            for reference, is_returned in zip(references, outcomes, strict=True)
            if is_returned is True
        ]
        await send_walk_hints(self._store, returned)
        metrics.EXECUTIONS_RECOVERED.inc(len(returned))
        return [each for each in outcomes if isinstance(each, BaseException)]


class LongLeases(Duty):
    """Shortens leases that were granted before Redis's clock was set back."""

    name = "shorten leases"

    def __init__(self, store: Store, clock: RecoveryClock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> bool:
        """Shorten all of them, after a jump and at the start of a lead. Raises Unavailable."""
        clock = self._clock
        if clock.must_shorten_leases:
            lease_ms = int(clock.lease_seconds * 1000)
            await self._store.leases.shorten(lease_ms, now=clock.redis_ms)
            clock.must_shorten_leases = False
        return False


class GoneMetrics(Duty):
    """Folds the metrics of processes that are gone into one sum.

    Workers that could not renew their leases could not publish metrics either.
    """

    name = "fold metrics"
    interval_seconds = FOLD_SECONDS

    def __init__(self, store: Store, clock: RecoveryClock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> bool:
        """Fold all of them; later, while the clock spares silent workers. Raises Unavailable."""
        if self._clock.spares_silent_workers:
            return True
        await publishing.retire(self._store)
        return False
