"""Removal of old executions with their outputs, of old versions, and of unneeded media."""

from collections import deque

from engine.services.media import MediaService
from engine.store import Store
from engine.store.archive.ended_batches import EndedBatches
from engine.store.archive.ended_deliveries import EndedDeliveries
from engine.store.archive.occurrence_outbox import OccurrenceOutbox
from engine.store.redis import keyspace
from workers.recovery.duty import Duty

PRUNE_SECONDS = 60.0
SWEEP_SECONDS = 3_600.0
MAX_OUTPUTS_TO_REMOVE = 10_000
"""Executions whose large outputs wait to be removed; the hourly sweep finds further ones."""
DAY_MS = 86_400_000


class OldVersions(Duty):
    """Removes versions of workflows that are not kept."""

    name = "prune versions"
    interval_seconds = PRUNE_SECONDS

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> bool:
        """Remove one batch. Raises Unavailable."""
        return await self._store.versions.prune()


class OldExecutions(Duty):
    """Removes executions, batches, occurrences and ends of deliveries whose retention is over.

    Replays and test runs are among the batches.
    With a history, its archiver removes them instead.
    """

    name = "prune"
    interval_seconds = PRUNE_SECONDS

    def __init__(self, store: Store, retention_days: float) -> None:
        self._store = store
        self._deliveries = EndedDeliveries(store.client)
        self._batches = EndedBatches(store.client)
        self._occurrences = OccurrenceOutbox(store.client)
        self._retention_ms = int(retention_days * DAY_MS)
        self.with_outputs: deque[str] = deque(maxlen=MAX_OUTPUTS_TO_REMOVE)
        """References of removed executions and batches that have left objects."""

    async def run(self) -> bool:
        """Remove one batch of each partition.

        Raises Unavailable, also where there is a history and this process lacks its database.
        """
        await self._store.archive.require()
        before_ms = await self._store.leases.now() - self._retention_ms
        pruned = await self._store.leases.prune(before_ms)
        await self._deliveries.drop(before_ms)
        occurrences = await self._occurrences.prune(before_ms)
        self.with_outputs += pruned.with_objects
        self.with_outputs += await self._batches.prune(before_ms)
        self.with_outputs += await self._store.lists.prune(before_ms)
        return pruned.executions > 0 or occurrences > 0


class LeftOutputs(Duty):
    """Removes the large outputs of executions that were pruned."""

    name = "remove outputs"
    interval_seconds = PRUNE_SECONDS
    is_slow = True

    def __init__(self, store: Store, references: deque[str]) -> None:
        self._store = store
        self._references = references

    async def run(self) -> bool:
        """Remove the outputs of all of them. Raises Unavailable or StorageFailed."""
        while self._references:
            await self._store.offloaded.remove(*keyspace.parse_reference(self._references[0]))
            self._references.popleft()
        return False


class LostOutputs(Duty):
    """Removes large outputs of executions that are gone.

    A step that was lost with its worker may have left some that no record names.
    """

    name = "sweep outputs"
    interval_seconds = SWEEP_SECONDS
    is_slow = True

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> bool:
        """Go through all of them. Raises Unavailable or StorageFailed."""
        await self._store.offloaded.sweep()
        return False


class UnneededMedia(Duty):
    """Removes media that are not needed any more."""

    name = "collect"
    interval_seconds = PRUNE_SECONDS
    is_slow = True

    def __init__(self, media_service: MediaService) -> None:
        self._media_service = media_service

    async def run(self) -> bool:
        """Remove all of them, batch by batch. Raises Unavailable or StorageFailed."""
        while await self._media_service.collect():
            pass
        return False
