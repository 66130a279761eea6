"""Start of a test run: finds the tests and what they run on, and adds the list of their runs."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, structs

from engine.access.tiers import TierTerms
from engine.billing.credits import make_quote
from engine.errors import (
    InvalidBody,
    InvalidInputs,
    Unavailable,
    VersionNotFound,
    WorkflowTestNotFound,
)
from engine.executions.batches import LIST_CONCURRENCY, BatchKind
from engine.executions.statuses import NodeStatus
from engine.graph.document import RecordValues
from engine.graph.plan import Plan
from engine.graph.seeding import seeded_statuses
from engine.releases.aliases import DRAFT, LIVE
from engine.services.batches.start_once import StartedBatch, require_balance, start_once
from engine.services.runs.inner_plans import inner_plans_of
from engine.services.runs.targets import find_workflow
from engine.services.workflow_tests import listed_tests as listed
from engine.services.workflow_tests.listed_tests import ListedTest, make_items
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.runnable_drafts import compile_draft
from engine.store import IdempotentReplay, NewBatch, StaleWorkflow, Store
from engine.store.executions.start import Start
from engine.store.redis.record_packing import pack
from engine.store.schema import RELEASES_SCHEMA
from engine.store.workflows.workflow_test_records import WorkflowTest
from engine.values.fields import check_inputs

MAX_LIST_BYTES = 16_777_216
"""Most bytes of the tests of one run."""


class WorkflowTestOrder(Struct, frozen=True, kw_only=True):
    """Test run that a caller asks for."""

    new: NewBatch
    """With the slug; the version and the items are filled in."""
    version: int | str | None
    """A number, `draft` or an alias; None: the draft, or without one the live version."""
    names: Sequence[str] | None
    """Tests to run; None: all."""
    terms: TierTerms
    make_answer: Callable[[str, int], str]
    """Returns the answer to record for a run with this id and number of tests."""


class WorkflowTestStart(Struct, frozen=True, kw_only=True):
    """Starts test runs."""

    store: Store
    checker: GraphChecker

    async def start(self, order: WorkflowTestOrder) -> StartedBatch:
        """Accept the test run; a repeated call gets the first answer, whatever has changed since.

        Raises Unavailable while the store's schema is old, WorkflowNotFound, DraftNotFound,
        VersionNotFound, WorkflowNotRunnable, WorkflowTestNotFound, InvalidBody without any test,
        InsufficientCredits, and what `Batches.add` raises.
        """
        self.store.schema.require(RELEASES_SCHEMA, "Test runs")
        return await start_once(self.store, order.new, partial(self._start, order))

    async def _start(self, order: WorkflowTestOrder) -> StartedBatch:
        account_id, slug = order.new.account_id, order.new.slug
        tests, revision = await self._find_tests(order)
        facts: dict[str, Any] = {
            listed.TESTS_REVISION: revision,
            listed.IS_WHOLE: "1" if order.names is None else "",
        }
        values: dict[str, bytes] = {}
        version = await self._find_version(order)
        if version is None:
            draft = await self.store.drafts.get(account_id, slug)
            graph, plan = await compile_draft(self.store, draft, checker=self.checker)
            facts[listed.DRAFT_REVISION] = draft.revision
            if draft.document.record_values is not RecordValues.ALL:
                facts[listed.RECORD_VALUES] = draft.document.record_values.value
            values[listed.DRAFT] = pack(graph.as_record())
        else:
            found = await find_workflow(self.store, account_id, slug, fresh=True, version=version)
            plan = found.plan
        await self._require_balance(account_id, order.terms, plan, [each.test for each in tests])
        items, order_facts = make_items(tests)
        new = structs.replace(
            order.new,
            kind=BatchKind.TESTS,
            version=version or 0,
            items=items,
            concurrency=LIST_CONCURRENCY,
            facts={**facts, **order_facts},
            values=values,
            answer=order.make_answer(order.new.batch_id, len(tests)),
        )
        verdict = await self.store.batches.add(new)
        match verdict:
            case IdempotentReplay():
                return StartedBatch(verdict.answer, is_replay=True)
            case StaleWorkflow():
                raise Unavailable
        return StartedBatch(new.answer)

    async def _find_version(self, order: WorkflowTestOrder) -> int | None:
        """Return the number of the version to test; None: the draft. Raises VersionNotFound."""
        wanted, ids = order.version, (order.new.account_id, order.new.slug)
        if wanted is None:
            has_draft = await self.store.workflow_tests.draft_revision(*ids) is not None
            wanted = DRAFT if has_draft else LIVE
        if wanted == DRAFT or isinstance(wanted, int):
            return None if wanted == DRAFT else int(wanted)
        version = await self.store.versions.find_named(*ids, wanted)
        if version is None:
            raise VersionNotFound
        return version

    async def _find_tests(self, order: WorkflowTestOrder) -> tuple[list[ListedTest], int]:
        """Return the wanted tests by name, and the revision of all."""
        found, revision = await self.store.workflow_tests.read(order.new.account_id, order.new.slug)
        if not found:
            raise InvalidBody("The workflow has no tests")
        missing = set(order.names or ()) - {each.name for each in found}
        if missing:
            raise WorkflowTestNotFound
        tests = [
            ListedTest(each.name, each.test)
            for each in found
            if order.names is None or each.name in order.names
        ]
        if sum(len(each.test.as_record()) for each in tests) > MAX_LIST_BYTES:
            message = (
                f"These tests take more than {MAX_LIST_BYTES:,} bytes: run some of them by 'names'"
            )
            raise InvalidBody(message, field="names")
        return tests, revision

    async def _require_balance(
        self, account_id: str, terms: TierTerms, plan: Plan, tests: Sequence[WorkflowTest]
    ) -> None:
        """Raise InsufficientCredits unless the balance covers all tests, without their judges."""
        inner = await inner_plans_of(self.store, account_id, plan)
        credits = 0
        for test in tests:
            try:
                inputs = check_inputs(
                    plan.fields,
                    test.inputs,
                    strict=plan.strict_inputs,
                    allow_http=self.checker.allow_private,
                    allow_assets=True,
                )
            except InvalidInputs:
                continue  # its run is refused, which is the verdict on it
            pinned = {node.index for node in plan.nodes if node.id in test.pinned}
            statuses = seeded_statuses(plan, dict.fromkeys(pinned, NodeStatus.COMPLETED))
            charged = Start(statuses=statuses).charged_part(plan)
            quote = make_quote(charged, terms, None, inputs, inner)
            credits += 0 if quote is None else quote.credits
        await require_balance(self.store, account_id, terms, credits)
