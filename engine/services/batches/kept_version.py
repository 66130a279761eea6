"""Items of batches: each begins as a run of the version that the batch was accepted with."""

from dataclasses import dataclass

from msgspec import structs

from engine.access.tiers import TierTerms
from engine.executions.sources import Source
from engine.services.runs.listed_runs import new_listed_run
from engine.services.runs.targets import Runnable, find_workflow
from engine.store import Account, NewItem, NewRun, Store
from engine.store.batches.feeding import FedBatch


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """Version of a workflow that a batch runs, of the account itself or a public one."""

    store: Store
    batch: FedBatch
    source = browser_source = Source.BATCH

    async def find(self, run: NewRun, *, fresh: bool) -> Runnable:
        """See `RunTarget.find`. Raises what `find_workflow` raises, for all kinds of batches."""
        batch = self.batch
        if not batch.owner_id:
            return await find_workflow(
                self.store, run.account_id, batch.slug, fresh=fresh, version=batch.version
            )
        await self.store.workflows.public_plan(batch.slug, fresh=fresh)  # it is public still
        plan_of = self.store.workflows.plan_of
        workflow, plan = await plan_of(batch.owner_id, batch.slug, batch.version)
        return Runnable(plan=plan, workflow=workflow, is_named_version=True)


def new_item_run(
    account: Account, terms: TierTerms, batch: FedBatch, index: int, item: NewItem
) -> NewRun:
    """Return the run of an item, with the account as it is now, and the tags of both."""
    run = new_listed_run(account, terms, batch, index, Source.BATCH)
    return structs.replace(run, tags=tuple(dict.fromkeys([*batch.tags, *item.tags])))
