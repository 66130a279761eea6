"""Start of a batch: finds the workflow, checks all items and the balance, and accepts them."""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct, structs

from engine.access.tiers import TierTerms
from engine.errors import InvalidItems, Unavailable, WorkflowNotRunnable
from engine.services.batches.item_checks import CheckedItems, ItemChecks, RunSteps, SizedItem
from engine.services.batches.start_once import StartedBatch, require_balance, start_once
from engine.services.media import MediaService
from engine.services.runs.acceptance import MAX_STALE
from engine.services.runs.inner_plans import inner_plans_of
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.targets import Runnable, find_workflow
from engine.store import IdempotentReplay, NewBatch, StaleWorkflow, Store
from engine.store.executions.public_runs import hidden_models
from engine.store.redis.batch_keys import asset_reference

SCHEMA = 2
"""Schema version of the store from which on it may have batches."""


class BatchOrder(Struct, frozen=True, kw_only=True):
    """Batch that a caller asks for, before its workflow is found and its items are checked."""

    new: NewBatch
    """With the slug; the version, the owner and the items are filled in."""
    items: Sequence[SizedItem]
    terms: TierTerms
    version: int | str | None = None
    """Version of an own workflow, or the name of an alias; None: the live one."""
    make_answer: Callable[[NewBatch, tuple[str, ...]], str]
    """Returns the answer to record for an accepted batch, given its warnings."""


class BatchStart(Struct, frozen=True, kw_only=True):
    """Starts batches."""

    store: Store
    media_service: MediaService
    allow_http: bool
    """Media inputs may have plain `http` URLs."""

    async def start(self, order: BatchOrder, run_steps: RunSteps) -> StartedBatch:
        """Accept the batch; a repeated call gets the first answer, whatever has changed since.

        Raises Unavailable while the store's schema is old, what `find_workflow`, `ItemChecks` and
        `Batches.add` raise, and InsufficientCredits.
        """
        check_schema(self.store)
        return await start_once(self.store, order.new, partial(self._start, order, run_steps))

    async def _start(self, order: BatchOrder, run_steps: RunSteps) -> StartedBatch:
        for attempt in range(MAX_STALE):
            try:
                runnable, checked = await self._check(order, run_steps, fresh=attempt > 0)
            except (InvalidItems, WorkflowNotRunnable):
                if attempt:
                    raise
                continue  # another process may have saved the workflow since this one read it
            account_id = order.new.account_id
            await require_balance(self.store, account_id, order.terms, checked.credits)
            new = complete(order.new, runnable, checked)
            answer = order.make_answer(new, checked.warnings)
            verdict = await self.store.batches.add(structs.replace(new, answer=answer))
            if isinstance(verdict, IdempotentReplay):
                return StartedBatch(verdict.answer, is_replay=True)
            if not isinstance(verdict, StaleWorkflow):
                return StartedBatch(answer)
        raise Unavailable("The workflow is being saved faster than it can be run")

    async def _check(
        self, order: BatchOrder, run_steps: RunSteps, *, fresh: bool
    ) -> tuple[Runnable, CheckedItems]:
        new = order.new
        is_alias = isinstance(order.version, str)  # nothing compares its version later
        runnable = await find_workflow(
            self.store, new.account_id, new.slug, fresh=fresh or is_alias, version=order.version
        )
        checked = await self.check_items(runnable, new, order.terms, order.items, run_steps)
        return runnable, checked

    async def check_items(
        self,
        runnable: Runnable,
        new: NewBatch,
        terms: TierTerms,
        items: Sequence[SizedItem],
        run_steps: RunSteps,
    ) -> CheckedItems:
        """Check items of a batch for a version of a workflow.

        Errors do not name the models of another account's workflow.
        """
        use = AssetUse(self.media_service, new.account_id, asset_reference(new.batch_id))
        owner_id = owner_of(runnable, new.account_id)
        inner = await inner_plans_of(self.store, owner_id or new.account_id, runnable.plan)
        checks = ItemChecks(runnable.plan, terms, use, inner, allow_http=self.allow_http)
        if not owner_id:
            return await checks.check(items, run_steps)
        with hidden_models():
            return await checks.check(items, run_steps)


def check_schema(store: Store) -> None:
    """Raise Unavailable while processes may run that would walk items without counting them."""
    store.schema.require(SCHEMA, "Batches")


def owner_of(runnable: Runnable, account_id: str) -> str:
    """Return the account of the workflow if it is another one's, else an empty text."""
    workflow = runnable.workflow
    is_own = workflow is None or workflow.account_id == account_id
    return "" if workflow is None or is_own else workflow.account_id


def complete(new: NewBatch, runnable: Runnable, checked: CheckedItems) -> NewBatch:
    """Return the batch with its version, the workflow's owner and its items."""
    return structs.replace(
        new,
        version=runnable.workflow.version if runnable.workflow else 0,
        owner_id=owner_of(runnable, new.account_id),
        items=checked.items,
        chunks=checked.chunks,
    )
