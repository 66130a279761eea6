"""Runs of lists that are no batches: how their items begin, and what is done once all are over."""

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.executions.batches import BatchKind
from engine.executions.sources import Source
from engine.ids.executions import item_execution_id
from engine.services.runs.targets import RunTarget
from engine.store import Account, Batch, NewItem, NewRun
from engine.store.batches.feeding import FedBatch
from engine.store.executions.new_execution import BatchItem


class ItemNotReady(Exception):
    """The item cannot begin yet: it stays queued until another item of the list has ended."""


class ListedRun(Struct, frozen=True):
    """Run of an item: its target, and the inputs of a caller."""

    target: RunTarget
    inputs: Mapping[str, Any]


class ListKind(Protocol):
    """Kind of lists whose items begin in a way of their own, such as replays."""

    @property
    def source(self) -> Source:
        """Source of the items' executions."""
        ...

    async def prepare(
        self, account_id: str, batch: FedBatch, index: int, item: NewItem
    ) -> ListedRun:
        """Return the run of an item. The call is repeated where the run could not begin.

        Raises ItemNotReady, and EngineError where the item can never begin: it fails with that.
        """
        ...

    async def settle(self, batch: Batch) -> None:
        """Compute what is still open of a list that is over; the call may be repeated.

        Raises Unavailable or StorageFailed, upon which it is repeated, and ItemNotReady where it
        gives way to the lists of others before it goes on.
        """
        ...


ListKinds = Mapping[BatchKind, ListKind]
"""Kinds of lists that this process feeds."""


def new_listed_run(
    account: Account, terms: TierTerms, batch: FedBatch, index: int, source: Source
) -> NewRun:
    """Return the run of an item of a list, with the account as it is now."""
    return NewRun(
        account_id=account.id,
        source=source,
        key_id=batch.key_id,
        execution_id=item_execution_id(batch.id, index),
        terms=terms,
        depth=batch.depth,
        request_id=batch.request_id,
        trace=batch.trace,
        tags=tuple(batch.tags),
        item=BatchItem(batch.id, index, batch.kind),
    )
