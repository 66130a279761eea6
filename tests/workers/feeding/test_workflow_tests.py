"""Test runs on a worker: without a reader, beside a greedy account, and repeated ends."""

import asyncio
from typing import Any

from engine.access.capabilities import Tier
from engine.executions.batches import BatchKind, BatchStatus
from engine.ids.executions import new_execution_id
from engine.services.expressions import Expressions
from engine.services.workflow_tests.finish import finish_test_run
from engine.services.workflow_tests.start_tests import WorkflowTestOrder, WorkflowTestStart
from engine.services.workflows.graph_checks import GraphChecker
from engine.settings import Settings
from engine.store import Batch, NewBatch, Store
from engine.store.workflows.workflow_test_records import WorkflowTest
from tests.support.factories import Runner, greeting
from tests.support.store.batch_runs import BatchRuns
from workers.main import worker

GREETS = WorkflowTest(inputs={"who": "Ada"}, expect=('result.text.contains("Ada")',))
FAILS = WorkflowTest(inputs={"who": "Ada"}, expect=("result.text == 'Bye'",))
MANY = "lists.range(300)"
HEAVY = WorkflowTest(
    inputs={"who": "Ada"}, expect=(f"{MANY}.all(a, {MANY}.all(b, a + b >= 0.0)) || true",) * 20
)


async def begin(runner: Runner, slug: str, **members: Any) -> str:
    """Start a test run of a runner's workflow; return its id."""
    run_id = new_execution_id()
    async with GraphChecker.open(allow_private=True) as checker:
        start = WorkflowTestStart(store=runner.store, checker=checker)
        new = NewBatch(
            account_id=runner.account.id, slug=slug, version=0, items=(), batch_id=run_id
        )
        order = WorkflowTestOrder(
            new=new,
            version=members.get("version"),
            names=members.get("names"),
            terms=runner.store.tiers.terms(runner.account.tier, runner.account.role),
            make_answer=lambda *_: "{}",
        )
        await start.start(order)
    return run_id


async def test_a_run_that_nobody_reads_leaves_its_results(
    runner: Runner, settings: Settings
) -> None:
    store, account_id = runner.store, runner.account.id
    slug = await runner.save(greeting())
    await store.workflow_tests.write(account_id, slug, {"greets": GREETS, "fails": FAILS})
    async with worker(settings):
        run_id = await begin(runner, slug)
        ended = await BatchRuns(runner).wait_settled(run_id)

    assert (ended.kind, ended.status) == (BatchKind.TESTS, BatchStatus.COMPLETED)
    assert await store.lists.verdict_codes(account_id, run_id) == "fp"
    lasts = [each.last for each in await store.workflow_tests.list(account_id, slug)]
    assert [each and (each.verdict, each.version) for each in lasts] == [
        ("failed", 1),
        ("passed", 1),
    ]
    assert await store.workflow_tests.draft_verdict(account_id, slug) is None  # no draft ran


async def test_an_end_that_is_repeated_changes_nothing(runner: Runner, settings: Settings) -> None:
    store, account_id = runner.store, runner.account.id
    slug = await runner.save(greeting())
    await store.workflow_tests.write(account_id, slug, {"greets": GREETS})
    async with worker(settings):
        run_id = await begin(runner, slug)
        ended = await BatchRuns(runner).wait_settled(run_id)
    before = await store.lists.verdicts(account_id, run_id, [0])

    await asyncio.gather(*(_finish(store, ended) for _ in range(3)))

    assert await store.lists.verdicts(account_id, run_id, [0]) == before
    [saved] = await store.workflow_tests.list(account_id, slug)
    assert saved.last is not None and saved.last.test_run_id == run_id


async def _finish(store: Store, batch: Batch) -> None:
    """End a test run anew, as a worker would whose former end was cut off before its last write."""
    expressions = Expressions()
    await store.lists.drop(batch.account_id, batch.id, "finished")
    try:
        await finish_test_run(store, expressions, batch)
    finally:
        await expressions.close()


async def test_a_greedy_account_delays_no_verdict_of_another(
    runner: Runner, settings: Settings
) -> None:
    """Tests whose expectations take long delay no test of another account."""
    store = runner.store
    other = await store.accounts.create(email="bob@example.com", tier=Tier.PRO)
    other_runner = Runner(store, other, runner.notifier)
    slug, other_slug = await runner.save(greeting()), await other_runner.save(greeting())
    many = {f"t{number}": HEAVY for number in range(6)}
    await store.workflow_tests.write(runner.account.id, slug, many)
    await store.workflow_tests.write(other_runner.account.id, other_slug, {"greets": GREETS})
    async with worker(settings):
        greedy = [await begin(runner, slug) for _ in range(2)]
        single = await begin(other_runner, other_slug)
        await BatchRuns(other_runner).wait_settled(single)
        codes = [await store.lists.verdict_codes(runner.account.id, each) for each in greedy]

    assert "".join(codes).count("p") < 12
    assert await store.lists.verdict_codes(other_runner.account.id, single) == "p"
