"""The sweeper: one leader among the workers gives back, sends again and prunes."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from engine import keyspace, metrics
from engine.errors import EngineError, StorageFailed
from engine.library import Library
from engine.store import Store
from engine.store.executions import RESEND_AFTER_MS
from engine.store.hints import BULK_QUEUE

TICK_SECONDS = 0.25
LEAD_SECONDS = 1.5
PRUNE_SECONDS = 60.0
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

    After the store was out of reach, nobody is taken for dead until a whole lease has passed:
    living workers could not renew theirs either.
    """

    def __init__(
        self,
        store: Store,
        worker_id: str,
        *,
        lease_seconds: float,
        retention_days: float,
        library: Library | None = None,
    ) -> None:
        self._store = store
        self._library = library
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._retention_ms = int(retention_days * DAY_MS)
        self._leads = False
        self._ticked_at = time.time()
        self._recover_after = 0.0
        self._prune_after = 0.0
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
                self._leads = False
                self._spare_all()
                log.warning("cannot sweep", extra={"reason": error.message})
            except Exception:
                log.exception("a sweep failed unexpectedly")
            await asyncio.sleep(TICK_SECONDS)

    async def _tick(self) -> None:
        # The wall clock goes on while a machine sleeps; the others have slept as well.
        before, self._ticked_at = self._ticked_at, time.time()
        # A duty that failed as slowly may have done so because the store was out of reach.
        if self._ticked_at - before > self._lease_seconds / 2:
            self._spare_all()
        leads = await self._store.leases.take_lead(self._worker_id, int(LEAD_SECONDS * 1000))
        if leads and not self._leads:
            await self._check_uptime()
        self._leads = leads
        if leads:
            await self._sweep(time.monotonic())

    async def _sweep(self, now: float) -> None:
        await _do("recover", self.recover(seen_only=now < self._recover_after))
        await _do("resend", self.resend())
        await _do("deliver", self._deliver())
        if now >= self._prune_after:
            await _do("fold metrics", metrics.retire(self._store))
            if not await _do("prune", self.prune()):
                self._prune_after = now + PRUNE_SECONDS
                self._collect()

    async def _deliver(self) -> None:
        await self._store.hints.send_deliveries(await self._store.deliveries.promote())

    async def _check_uptime(self) -> None:
        # Leases that ended while the store was down say nothing of who lives.
        if await self._store.leases.uptime_seconds() < 2 * self._lease_seconds:
            self._spare_all()

    def _spare_all(self) -> None:
        self._recover_after = time.monotonic() + self._lease_seconds

    async def recover(self, *, seen_only: bool = False) -> None:
        """Give back what dead workers held, and send its hints.

        `seen_only`: only of workers whose death was seen, not of those that are merely silent.
        """
        for worker_id in await self._store.leases.dead_workers(seen_only=seen_only):
            if worker_id != self._worker_id:
                await _do("bury", self._bury(worker_id))

    async def _bury(self, worker_id: str) -> None:
        references = await self._store.leases.held(worker_id)
        log.warning("a worker died", extra={"worker": worker_id, "held": len(references)})
        for start in range(0, len(references), GIVEN_BACK_AT_ONCE):
            await self._give_back(references[start : start + GIVEN_BACK_AT_ONCE], worker_id)
        await self._store.leases.bury(worker_id)

    async def _give_back(self, references: list[str], worker_id: str) -> None:
        give_back = self._store.walks.give_back
        found = await asyncio.gather(
            *(give_back(reference, worker_id, is_lost=True) for reference in references)
        )
        given = [
            reference for reference, is_given in zip(references, found, strict=True) if is_given
        ]
        await self._send(given)
        metrics.EXECUTIONS_RECOVERED.inc(len(given))

    async def resend(self) -> None:
        """Send the hints that are due: retries, and what nobody has claimed."""
        # What waits in a long queue is not lost: it is sent again when its turn should have come.
        patience_ms = RESEND_AFTER_MS + await self._store.hints.depth()
        references = await self._store.leases.promote(patience_ms)
        await self._send(references)
        metrics.HINTS_RESENT.inc(len(references))

    async def _send(self, references: Sequence[str]) -> None:
        owners = {each: keyspace.parse_reference(each)[0] for each in references}
        large = await self._store.executions.with_much_under_way(set(owners.values()))
        bulk = [each for each, owner in owners.items() if owner in large]
        await self._store.hints.send(bulk, BULK_QUEUE)
        await self._store.hints.send([each for each in owners if owners[each] not in large])

    def _collect(self) -> None:
        # Beside the other duties: a bucket may take its time, and those have none.
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._let_go(), name="collecting")

    async def _let_go(self) -> None:
        await self.remove_outputs()
        if self._library is not None:
            await _do("collect", self.collect(self._library))

    async def remove_outputs(self) -> None:
        """Remove large outputs of executions that were forgotten, and at times what else is left.

        A step that was lost with its worker may have left some that no record names.
        """
        await _do("remove outputs", self._remove_outputs())

    async def _remove_outputs(self) -> None:
        while self._left:
            await self._store.asides.remove(*keyspace.parse_reference(self._left[0]))
            self._left.popleft()
        if time.monotonic() >= self._sweep_after:
            self._sweep_after = time.monotonic() + SWEEP_SECONDS
            await self._store.asides.sweep()

    async def collect(self, library: Library) -> None:
        """Let go of media that nobody needs any more."""
        while await library.collect():
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
