"""A kind of lists of runs for tests: each item runs a version with its inputs."""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct, field

from engine.errors import InsufficientCredits
from engine.executions.batches import BatchKind
from engine.executions.sources import Source
from engine.services.batches.kept_version import KeptVersion
from engine.services.runs.listed_runs import ItemNotReady, ListedRun
from engine.store import Batch, NewItem, Store
from engine.store.batches.feeding import FedBatch
from engine.store.batches.run_lists import ItemVerdict

KIND = BatchKind.REPLAY


class EchoKind(Struct):
    """Begins items but for those that wait for a first one or that are refused."""

    store: Store
    waiting: Collection[int] = ()
    refused: Collection[int] = ()
    settled: list[str] = field(default_factory=list)
    source: Source = Source.REPLAY

    async def prepare(
        self, account_id: str, batch: FedBatch, index: int, item: NewItem
    ) -> ListedRun:
        """See `ListKind.prepare`."""
        states = await self.store.batches.item_states(account_id, batch.id)
        if index in self.waiting and not states.startswith("c"):
            raise ItemNotReady
        if index in self.refused:
            raise InsufficientCredits(2, 1)
        return ListedRun(KeptVersion(self.store, batch), item.inputs)

    async def settle(self, batch: Batch) -> None:
        """Record a verdict on each item."""
        self.settled.append(batch.id)
        verdicts: Mapping[int, Any] = {
            index: ItemVerdict(code, {"state": code}) for index, code in enumerate(batch.states)
        }
        await self.store.lists.record_verdicts(batch.account_id, batch.id, verdicts)
