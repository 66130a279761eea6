"""Retry of a batch: its failed items run anew, in a batch of their own, on the same version."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.errors import BatchNotRetryable, InvalidItems, NotFound, WorkflowNotRunnable
from engine.executions.batches import ItemStatus
from engine.services.batches.item_checks import RunSteps, SizedItem
from engine.services.batches.start import BatchStart, check_schema, complete
from engine.services.batches.start_once import StartedBatch, require_balance
from engine.services.runs.targets import Runnable, find_workflow
from engine.store import Batch, BatchAccepted, BatchRetried, NewBatch, StaleWorkflow, Store

UNKNOWN_SIZE = 65_536
"""Size of objects and lists: they are taken for large ones, which a thread checks."""
GOES_ON = "It has not ended yet"
NONE_FAILED = "None of its items failed"
ITEMS_GONE = "The inputs of its items are not kept any more"
VERSION_GONE = "The version that it ran is not kept any more, or not public any more"
NO_LONGER_FIT = "Its items do not fit any more: {}"


class BatchRetry(Struct, frozen=True, kw_only=True):
    """Retry of one batch for a caller."""

    start: BatchStart
    former: Batch
    terms: TierTerms
    make_answer: Callable[[str, int], str]
    """Returns the answer for a batch with this id and number of items."""

    @property
    def _store(self) -> Store:
        return self.start.store

    async def begin(self, new: NewBatch, run_steps: RunSteps) -> StartedBatch:
        """Accept a batch of the failed items; the same one for all calls.

        `new` has no items yet. Raises BatchNotRetryable, Unavailable while the store's schema is
        old, and what checks of items and `Batches.add` raise.
        """
        check_schema(self._store)
        indexes = self._failed_indexes()
        if self.former.retry:
            return StartedBatch(self.make_answer(self.former.retry, len(indexes)))
        items = await self._read_items(indexes)
        runnable = await self._find_version()
        try:
            checked = await self.start.check_items(runnable, new, self.terms, items, run_steps)
        except InvalidItems as error:  # an asset is gone
            raise self._refused(NO_LONGER_FIT.format(error.message)) from None
        await require_balance(self._store, new.account_id, self.terms, checked.credits)
        new = complete(new, runnable, checked)
        try:
            verdict = await self._store.batches.begin_retry(new)
        except NotFound:
            raise self._refused(VERSION_GONE) from None
        match verdict:
            case BatchAccepted():
                return StartedBatch(self.make_answer(new.batch_id, len(indexes)))
            case BatchRetried(batch_id):
                return StartedBatch(self.make_answer(batch_id, len(indexes)))
            case StaleWorkflow():
                raise self._refused(VERSION_GONE)
            case _:
                raise self._refused(GOES_ON)

    def _failed_indexes(self) -> Sequence[int]:
        if not self.former.status.is_over:
            raise self._refused(GOES_ON)
        failed = ItemStatus.FAILED.code
        indexes = [index for index, code in enumerate(self.former.states) if code == failed]
        if not indexes:
            raise self._refused(NONE_FAILED)
        return indexes

    async def _read_items(self, indexes: Sequence[int]) -> Sequence[SizedItem]:
        try:
            ids = self.former.account_id, self.former.id
            found = await self._store.batches.items(*ids, indexes)
        except FileNotFoundError:
            found = {}
        if len(found) < len(indexes):
            raise self._refused(ITEMS_GONE)
        return [SizedItem(found[index], _size_of(found[index].inputs)) for index in indexes]

    async def _find_version(self) -> Runnable:
        """Return the version that the batch ran, of a public workflow only while it is public."""
        former, workflows = self.former, self._store.workflows
        try:
            if not former.owner_id:
                ids = former.account_id, former.slug
                return await find_workflow(self._store, *ids, fresh=False, version=former.version)
            await workflows.public_plan(former.slug)
            workflow, plan = await workflows.plan_of(former.owner_id, former.slug, former.version)
        except (NotFound, WorkflowNotRunnable):
            raise self._refused(VERSION_GONE) from None
        return Runnable(plan=plan, workflow=workflow, is_named_version=True)

    def _refused(self, reason: str) -> BatchNotRetryable:
        return BatchNotRetryable(self.former.status.shown.value, reason)


def _size_of(inputs: Mapping[str, Any]) -> int:
    """Return about the size of inputs in bytes, without a look into objects and lists."""
    return sum(_value_size(value) for value in inputs.values())


def _value_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return UNKNOWN_SIZE if isinstance(value, dict | list) else 1
