"""Check of a worker's leases on record against its walks.

Both agree unless there was a fault: a walk broke off, a give-back was refused, or Redis was set
back to an earlier state. An execution that is held and not walked would never end, since its worker
lives. An execution that is walked and not held may be run by another worker at the same time.
"""

import asyncio
import logging
import math
import time
from collections.abc import Collection, Mapping

from engine.errors import EngineError
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.partitioned.rotation import Rotation
from engine.store.redis import keyspace
from engine.telemetry import metrics
from workers.walk.walk import Walk
from workers.walk.walker import LOST_PAUSE_MS, Walker

CHECK_SECONDS = 2.0
IDLE_SECONDS = 20.0
"""Between checks of a worker that holds nothing and has claimed nothing for a while."""
IDLE_AFTER_SECONDS = 30.0
"""Time without a claim before that; a Redis that is set back is usually set back by less."""
AT_ONCE = 64
"""Partitions that a check reads; where there are no more, it reads all."""
LATELY_SECONDS = 600.0
"""Time after a claim for which its partition is checked more often than others."""
REFUSED_SECONDS = 60.0
"""Pause before a failed give-back is tried again."""

log = logging.getLogger(__name__)


class HeldCheck:
    """Gives back executions that are held and not walked, and reconciles walks that are not held.

    A difference counts when two checks in a row find it with the same claim: a claim or the record
    of an end may be on its way during the first.

    A check reads a bounded number of partitions: those of the differences, then in turn those in
    which the worker has claimed lately, and all.
    """

    def __init__(self, store: Store, walker: Walker, worker_id: str) -> None:
        self._store = store
        self._walker = walker
        self._worker_id = worker_id
        self._unwalked: Mapping[str, bytes] = {}
        self._unheld: Mapping[str, Walk] = {}
        self._not_before: dict[str, float] = {}
        self._checked = 0
        """Position among the partitions with late claims."""
        self._rotation = Rotation(at_least=AT_ONCE // 2)

    async def run(self) -> None:
        """Check every few seconds, until cancelled."""
        looked_at = -math.inf
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            now = time.monotonic()
            if self.is_idle and now - looked_at < IDLE_SECONDS:
                continue
            looked_at = now
            try:
                await self.check()
            except EngineError as error:
                log.warning("cannot check the held executions", extra={"reason": error.message})

    @property
    def is_idle(self) -> bool:
        """True when the worker holds nothing, and has claimed nothing for a while."""
        is_recent = time.monotonic() - self._walker.claimed_at < IDLE_AFTER_SECONDS
        return not (is_recent or self._unwalked or self._walker.walks)

    async def check(self) -> None:
        """Compare once. Raises Unavailable."""
        walks_before = dict(self._walker.walks)
        places = self._choose()
        claims = await self._store.leases.claims(self._worker_id, places)
        has_task = self._walker.has_task
        unwalked = {name: claim for name, claim in claims.items() if not has_task(name)}
        unheld = {
            name: walk
            for name, walk in walks_before.items()
            if name not in claims and _partition(name) in places
        }
        confirmed = [n for n, claim in unwalked.items() if self._unwalked.get(n) == claim]
        for name, walk in unheld.items():
            if self._unheld.get(name) is walk:
                walk.reconcile_soon()  # the reply says whether its lease is lost
        self._unwalked, self._unheld = unwalked, unheld
        self._not_before = {n: at for n, at in self._not_before.items() if n in claims}
        for name in confirmed:
            if not has_task(name):
                await self._give_back(name, unwalked[name])

    def _choose(self) -> Collection[int]:
        """Return the partitions to read."""
        if partitions.count() <= AT_ONCE:
            return partitions.every()
        lately = time.monotonic() - LATELY_SECONDS
        recent = [each for each, at in self._walker.claimed_in.items() if at > lately]
        start = self._checked % max(1, len(recent))
        self._checked = start + AT_ONCE // 2
        return {
            *map(_partition, self._unwalked),
            *map(_partition, self._unheld),
            *(recent[start:] + recent[:start])[: AT_ONCE // 2],
            *self._rotation.take(math.inf),
        }

    async def _give_back(self, reference: str, claim: bytes) -> None:
        if time.monotonic() < self._not_before.get(reference, 0.0):
            return
        give_back = self._store.walks.give_back
        try:
            is_returned = await give_back(
                reference, self._worker_id, is_lost=True, pause_ms=LOST_PAUSE_MS, claim=claim
            )
        except EngineError:
            raise
        except Exception:
            log.exception("cannot give back an execution that is held and not walked")
            self._not_before[reference] = time.monotonic() + REFUSED_SECONDS
            return
        self._not_before.pop(reference, None)
        if is_returned:
            metrics.EXECUTIONS_UNWALKED.inc()
            account_id, execution_id = keyspace.parse_reference(reference)
            extra = {"account_id": account_id, "execution_id": execution_id}
            log.error("an execution was held and not walked", extra=extra)


def _partition(reference: str) -> int:
    return partition_of(keyspace.parse_reference(reference)[0])
