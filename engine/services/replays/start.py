"""Start of a replay: finds its target and its executions, checks the balance, and accepts it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, structs

from engine.access.tiers import TierTerms
from engine.billing.credits import make_quote
from engine.executions.batches import LIST_CONCURRENCY, BatchKind
from engine.executions.replays import ReplayCalls
from engine.graph.document import RecordValues
from engine.graph.plan import Plan
from engine.releases.aliases import DRAFT
from engine.services.batches.start_once import StartedBatch, require_balance, start_once
from engine.services.replays.replay_facts import (
    EXECUTION,
    GRAPH,
    VALUES,
    ReplayFacts,
)
from engine.services.replays.selection import READ_AT_ONCE, Selection
from engine.services.runs.inner_plans import inner_plans_of
from engine.services.runs.targets import find_workflow
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.runnable_drafts import compile_draft
from engine.store import IdempotentReplay, NewBatch, NewItem, Store
from engine.store.redis.record_packing import pack, unpack
from engine.store.schema import RELEASES_SCHEMA


class ReplayOrder(Struct, frozen=True, kw_only=True):
    """Replay that a caller asks for."""

    new: NewBatch
    """With account, slug, key and request; the rest is filled in."""
    terms: TierTerms
    against: str | int
    """`draft`, the number of a version, or the name of an alias."""
    calls: ReplayCalls
    last: int
    """Number of the newest executions to take where none are named."""
    execution_ids: Sequence[str] = ()
    make_answer: Callable[[NewBatch], str]


class ReplayTarget(Struct, frozen=True, kw_only=True):
    """Graph that all items of a replay run."""

    plan: Plan
    version: int = 0
    """0: the draft."""
    against: str
    facts: Mapping[str, Any] = {}
    values: Mapping[str, bytes] = {}


class ReplayStart(Struct, frozen=True, kw_only=True):
    """Starts replays."""

    store: Store
    checker: GraphChecker

    async def start(self, order: ReplayOrder) -> StartedBatch:
        """Accept a replay; a repeated call gets the first answer, whatever has changed since.

        Raises Unavailable while the store's schema is old, WorkflowNotFound, NotOwner,
        DraftNotFound, VersionNotFound, WorkflowNotRunnable, InvalidBody with the executions that
        cannot be taken, InsufficientCredits, and what `Batches.add` raises.
        """
        self.store.schema.require(RELEASES_SCHEMA, "Replays")
        return await start_once(self.store, order.new, partial(self._start, order))

    async def _start(self, order: ReplayOrder) -> StartedBatch:
        account_id, slug = order.new.account_id, order.new.slug
        await self.store.workflows.check_own(account_id, slug)
        target = await self._find_target(account_id, slug, order.against)
        selection = Selection(self.store, account_id, slug)
        if order.execution_ids:
            ids = await selection.named(order.execution_ids)
        else:
            ids = await selection.newest(order.last)
        if order.calls is ReplayCalls.LIVE:
            await self._require_balance(order, target.plan, ids)
        facts = ReplayFacts(against=target.against, calls=order.calls)
        new = structs.replace(
            order.new,
            kind=BatchKind.REPLAY,
            version=target.version,
            items=[NewItem({EXECUTION: each}) for each in ids],
            concurrency=LIST_CONCURRENCY,
            facts={**facts.fields, **target.facts},
            values=target.values,
        )
        answer = order.make_answer(new)
        verdict = await self.store.batches.add(structs.replace(new, answer=answer))
        if isinstance(verdict, IdempotentReplay):
            return StartedBatch(verdict.answer, is_replay=True)
        return StartedBatch(answer)

    async def _find_target(self, account_id: str, slug: str, against: str | int) -> ReplayTarget:
        if against == DRAFT:
            return await self._find_draft(account_id, slug)
        found = await find_workflow(self.store, account_id, slug, fresh=True, version=against)
        number = found.workflow.version if found.workflow else 0
        return ReplayTarget(plan=found.plan, version=number, against=str(number))

    async def _find_draft(self, account_id: str, slug: str) -> ReplayTarget:
        draft = await self.store.drafts.get(account_id, slug)
        graph, plan = await compile_draft(self.store, draft, checker=self.checker)
        policy = draft.document.record_values
        return ReplayTarget(
            plan=plan,
            against=DRAFT,
            facts={} if policy is RecordValues.ALL else {VALUES: policy.value},
            values={GRAPH: pack(graph.as_record())},
        )

    async def _require_balance(
        self, order: ReplayOrder, plan: Plan, execution_ids: Sequence[str]
    ) -> None:
        """Raise InsufficientCredits unless the balance covers the estimate of all items."""
        account_id = order.new.account_id
        inner = await inner_plans_of(self.store, account_id, plan)
        credits = 0
        for first in range(0, len(execution_ids), READ_AT_ONCE):
            some = execution_ids[first : first + READ_AT_ONCE]
            read = await asyncio.gather(*(self._inputs(account_id, each) for each in some))
            for inputs in read:
                quote = make_quote(plan, order.terms, None, inputs, inner)
                credits += 0 if quote is None else quote.credits
        await require_balance(self.store, account_id, order.terms, credits)

    async def _inputs(self, account_id: str, execution_id: str) -> Mapping[str, Any]:
        """Return the inputs of an execution; none where they are gone meanwhile."""
        record = await self.store.executions.some_fields(account_id, execution_id, "inputs")
        if "inputs" not in record:
            return {}
        try:
            packed = await self.store.offloaded.open_value(
                account_id, execution_id, record["inputs"]
            )
        except FileNotFoundError:
            return {}
        inputs: Mapping[str, Any] = unpack(packed)
        return inputs
