"""Feeder of batches: begins queued items as room comes, and settles batches that are over."""

import asyncio
import contextlib
import logging

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.errors import (
    AccountNotApproved,
    AccountNotFound,
    EngineError,
    ExecutionNotCancellable,
    ExecutionNotFound,
    TooManyExecutions,
    Unavailable,
)
from engine.executions.batches import BatchKind
from engine.executions.item_errors import FAULT, INPUTS_GONE, item_error
from engine.ids.executions import item_execution_id
from engine.services.batches.kept_version import KeptVersion, new_item_run
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.listed_runs import ItemNotReady, ListedRun, ListKinds, new_listed_run
from engine.store import Accepted, Account, Batch, NewItem, NewRun, Store
from engine.store.batches.feeding import FedBatch
from engine.store.partitioned.taken_items import FeedState
from engine.telemetry import metrics
from workers.feeding.feeder import Feeder, cancel_running

NO_KINDS: ListKinds = {}

log = logging.getLogger(__name__)


class _Round(Struct, frozen=True):
    """Account, as it is now, and batch of items that begin together."""

    account: Account
    terms: TierTerms
    batch: FedBatch


class BatchFeeder(Feeder):
    """Begins the items of batches, and of lists of other kinds."""

    noun = "batch"

    def __init__(
        self, store: Store, acceptance: Acceptance, list_kinds: ListKinds = NO_KINDS
    ) -> None:
        super().__init__()
        self._store = store
        self._acceptance = acceptance
        self._list_kinds = list_kinds

    async def _feed_once(self, account_id: str, batch_id: str, token: str) -> bool:
        try:
            account = await self._store.accounts.get(account_id)
        except AccountNotFound:
            return False
        terms = self._store.tiers.terms(account.tier, account.role)
        feeding = self._store.feeding
        feed = await feeding.take(account_id, batch_id, token, terms)
        match feed.state:
            case FeedState.ITEMS:
                pass
            case FeedState.CANCELLING:
                await self._cancel_items(account_id, batch_id)
                return False
            case FeedState.OVER:
                await self._settle(account_id, batch_id)
                await self._feed_next(account_id, batch_id)
                return False
            case FeedState.BEGUN:  # room comes that this batch does not need
                await self._feed_next(account_id, batch_id)
                return False
            case _:
                return False
        batch = await feeding.facts(account_id, batch_id)
        if batch is None:
            return False
        if not account.approved:
            error = item_error(AccountNotApproved())
            await asyncio.gather(
                *(feeding.fail(account_id, batch_id, index, error) for index in feed.indexes)
            )
            return True
        items = await feeding.items(account_id, batch_id, feed.indexes)
        some = _Round(account, terms, batch)
        went_well = await asyncio.gather(*(self._begin(some, *each) for each in items.items()))
        if not all(went_well):
            await feeding.release(account_id, batch_id, token)
        return all(went_well)

    async def _feed_next(self, account_id: str, batch_id: str) -> None:
        """Feed another batch of the account, which may have waited for room."""
        other = await self._store.feeding.due.next_open(account_id, besides=batch_id)
        if other is not None:
            self.feed_soon(account_id, other)

    async def _begin(self, some: _Round, index: int, item: NewItem | None) -> bool:
        """Begin an item, or end it with the error that refuses it.

        One for which there is no room any more stays queued. False: it may begin later, as after
        a fault of the store.
        """
        ids = some.account.id, some.batch.id
        if item is None:
            await self._store.feeding.fail(*ids, index, INPUTS_GONE)
            return True
        try:
            run, listed = await self._prepare(some, index, item)
            verdict = await self._acceptance.accept(run, listed.target, listed.inputs)
        except ItemNotReady:
            return False
        except TooManyExecutions:
            return True
        except Unavailable:
            return False
        except EngineError as refusal:
            await self._store.feeding.fail(*ids, index, item_error(refusal))
            return True
        except Exception:
            extra = {"account_id": some.account.id, "batch_id": some.batch.id}
            log.exception("an item could not begin", extra={**extra, "batch_index": index})
            await self._store.feeding.fail(*ids, index, FAULT)
            return True
        if isinstance(verdict, Accepted):
            metrics.EXECUTIONS_ACCEPTED.inc()
        return True

    async def _prepare(self, some: _Round, index: int, item: NewItem) -> tuple[NewRun, ListedRun]:
        """Return the run of an item. Raises ItemNotReady, and EngineError for a hopeless one."""
        batch = some.batch
        if batch.kind is BatchKind.BATCH:
            run = new_item_run(some.account, some.terms, batch, index, item)
            return run, ListedRun(KeptVersion(self._store, batch), item.inputs)
        kind = self._list_kinds.get(batch.kind)
        if kind is None:  # a worker of another release feeds it
            raise ItemNotReady
        listed = await kind.prepare(some.account.id, batch, index, item)
        return new_listed_run(some.account, some.terms, batch, index, kind.source), listed

    async def _cancel_items(self, account_id: str, batch_id: str) -> None:
        """Request the cancellation of the items that run."""
        states = await self._store.batches.item_states(account_id, batch_id)
        await cancel_running(states, lambda index: self._cancel(account_id, batch_id, index))

    async def _cancel(self, account_id: str, batch_id: str, index: int) -> None:
        with contextlib.suppress(ExecutionNotCancellable, ExecutionNotFound):  # it has ended
            await self._store.executions.cancel(account_id, item_execution_id(batch_id, index))

    async def _settle(self, account_id: str, batch_id: str) -> None:
        """Add the delivery of a batch's end, if anyone is to be told, and close the batch."""
        batch = await self._store.batches.find(account_id, batch_id)
        if batch is not None and batch.kind is not BatchKind.BATCH:
            await self._settle_list(batch)
            return
        if batch is not None and batch.webhook_url:
            await self._store.deliveries.add_batch_end(batch)
        await self._store.feeding.settle(account_id, batch_id)

    async def _settle_list(self, batch: Batch) -> None:
        """Compute what is open of a list, and close it. Raises Unavailable or StorageFailed."""
        kind = self._list_kinds.get(batch.kind)
        if kind is None:
            return
        try:
            await kind.settle(batch)
        except ItemNotReady:  # the next look goes on
            return
        except EngineError:
            raise
        except Exception:  # a reader computes it
            extra = {"account_id": batch.account_id, "batch_id": batch.id}
            log.exception("the end of a list could not be computed", extra=extra)
        await self._store.feeding.settle(batch.account_id, batch.id, batch.kind)
