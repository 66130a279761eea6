"""Lists of workflows by their summaries."""

import asyncio
import uuid
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import InvalidCursor
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import Document
from engine.store import Account, Store, WorkflowSummary
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows import list as lists
from engine.store.workflows.list import WorkflowFilter
from engine.store.workflows.summaries import DAY_MS
from tests.support.store.acceptance import acceptance
from tests.support.store.records import BOTH_DONE, accept, document, save

ALL = WorkflowFilter()


@pytest.fixture
async def other(store: Store) -> Account:
    return await store.accounts.create(email="eve@example.com", tier=Tier.PRO)


async def create(store: Store, account: Account, name: str, **members: Any) -> str:
    return (await store.workflows.create(account.id, document(name, **members), [])).slug


async def pages(
    store: Store, account_id: str, limit: int, wanted: WorkflowFilter = ALL
) -> list[WorkflowSummary]:
    rows: list[WorkflowSummary] = []
    cursor: str | None = None
    for _ in range(100):
        page = await store.workflow_list.page(account_id, wanted, limit=limit, cursor=cursor)
        assert len(page.rows) <= limit
        rows, cursor = rows + page.rows, page.next_cursor
        if cursor is None:
            return rows
    raise AssertionError("the list does not end")


async def at(store: Store, account: Account, slug: str, milliseconds: int) -> None:
    """Set the time of the last change."""
    await store.client.send("HSET", keyspace.workflow(account.id, slug), "updated", milliseconds)
    for key in (keyspace.workflows_by_time(account.id), keyspace.templates_by_time()):
        await store.client.send("ZADD", key, "XX", milliseconds, slug)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_bring_own_workflows_and_templates_of_others_newest_first(
    store: Store, account: Account, other: Account, limit: int
) -> None:
    times = {}
    for number in range(12):
        owner = (account, other)[number % 3 == 0]
        is_template = number % 2 == 0
        slug = await create(store, owner, f"W {number}", is_template=is_template)
        if owner is account or is_template:
            times[slug] = (number * 7) % 5  # some at the same time
        await at(store, owner, slug, (number * 7) % 5)

    rows = await pages(store, account.id, limit)

    assert len(rows) == len(times)
    assert {row.slug for row in rows} == set(times)
    found = [row.updated_at for row in rows]
    assert found == sorted(found, reverse=True) == [times[row.slug] for row in rows]


async def test_a_save_puts_a_workflow_in_front(store: Store, account: Account) -> None:
    slugs = [await create(store, account, name) for name in ("One", "Two", "Three")]
    for place, slug in enumerate(slugs):
        await at(store, account, slug, place)

    await store.workflows.update(account.id, slugs[0], document("One again"), [])
    revised = await store.workflows.get(slugs[1])
    await store.workflows.revise(revised, document("Two again"))

    rows = await pages(store, account.id, 50)
    assert [row.name for row in rows] == ["Two again", "One again", "Three"]


async def test_deleted_workflows_are_left_out_until_they_are_taken_back(
    store: Store, account: Account
) -> None:
    slug = await create(store, account, "One")
    await create(store, account, "Two")

    await store.workflows.delete(account.id, slug)
    assert [row.name for row in await pages(store, account.id, 50)] == ["Two"]
    assert [row.name for row in await store.workflow_list.own(account.id)] == ["Two"]
    assert await store.client.send("ZCARD", keyspace.workflows_by_time(account.id)) == 1

    await store.workflows.restore(account.id, slug)
    assert {row.name for row in await pages(store, account.id, 50)} == {"One", "Two"}


async def test_drafts_are_rows_of_workflows_that_were_never_published(
    store: Store, account: Account
) -> None:
    begun = await store.workflows.create_draft(account.id, document("Idea"), [])
    published = await create(store, account, "Echo")
    await store.drafts.write(account.id, published, document("Other name"), [])
    await store.drafts.write(account.id, begun.slug, document("Better idea"), [])

    rows = {row.slug: row for row in await pages(store, account.id, 50)}

    shown = {slug: (row.name, row.version, row.has_draft) for slug, row in rows.items()}
    assert shown == {begun.slug: ("Better idea", 0, True), published: ("Echo", 1, True)}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (WorkflowFilter(text="ÜBER"), ["Über uns"]),
        (WorkflowFilter(text="uber-u"), ["Über uns"]),
        (WorkflowFilter(text="letters"), ["Mail"]),
        (WorkflowFilter(tag="a"), ["Mail", "Über uns"]),
        (WorkflowFilter(tag="A"), []),
        (WorkflowFilter(archived=True), ["Mail"]),
        (WorkflowFilter(archived=False), ["Über uns"]),
        (WorkflowFilter(text="u", tag="b", archived=False), ["Über uns"]),
    ],
)
async def test_filters_choose_by_text_tag_and_archive(
    store: Store, account: Account, wanted: WorkflowFilter, names: list[str]
) -> None:
    await create(store, account, "Mail", description="Writes LETTERS", tags=("a",), archived=True)
    await create(store, account, "Über uns", tags=("a", "b"))

    assert sorted(row.name for row in await pages(store, account.id, 1, wanted)) == names


async def test_a_rare_filter_gives_short_pages_that_lead_to_every_match(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "CHUNK", 3)
    monkeypatch.setattr(lists, "EXAMINED_AT_MOST", 3)
    for number in range(10):
        await create(store, account, f"W {number}", archived=number in (0, 9))

    wanted = WorkflowFilter(archived=True)

    assert {row.name for row in await pages(store, account.id, 1, wanted)} == {"W 0", "W 9"}


@pytest.mark.parametrize("cursor", ["", "x", "MTpF", "bm86ZWNobw", "é"])
async def test_a_cursor_of_another_list_is_refused(
    store: Store, account: Account, cursor: str
) -> None:
    with pytest.raises(InvalidCursor):
        await store.workflow_list.page(account.id, ALL, limit=1, cursor=cursor)


async def test_a_list_reads_no_documents(store: Store, account: Account, redis_url: str) -> None:
    slugs = [await create(store, account, f"W {number}") for number in range(3)]
    for slug in slugs:
        await store.client.send("HSET", keyspace.workflow(account.id, slug), "d1", b"unreadable")

    rows = await pages(store, account.id, 2)

    assert {row.slug for row in rows} == set(slugs)
    assert len(await store.workflow_list.own(account.id)) == 3


async def row_of(store: Store, account: Account, slug: str) -> WorkflowSummary:
    return next(row for row in await store.workflow_list.own(account.id) if row.slug == slug)


async def test_the_last_run_is_the_one_accepted_last_whatever_ends_first(
    store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)
    accepted = [await accept(store, account, workflow, plan) for _ in range(3)]
    row = await row_of(store, account, workflow.slug)
    assert row.last_run is not None
    assert (row.last_run.at, row.last_run.status) == (accepted[-1].created_at, "processing")

    for each in reversed(accepted):
        claimed = await store.walks.claim(keyspace.reference(account.id, each.id), "w1")
        assert claimed is not None
        end = ExecutionStatus.COMPLETED if each is accepted[-1] else ExecutionStatus.FAILED
        step = Step(settled=BOTH_DONE, end=end, result=pack(None), slug=workflow.slug)
        await store.walks.advance(claimed.lease, 1, step)

    row = await row_of(store, account, workflow.slug)
    assert row.last_run is not None
    assert row.last_run.status is ExecutionStatus.COMPLETED
    assert row.runs_of_7_days == 3


async def test_cancelled_runs_and_concurrent_ones_are_counted_once(
    store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)
    execution_id = str(uuid.uuid4())

    await asyncio.gather(*(accept(store, account, workflow, plan) for _ in range(20)))
    for _ in range(3):  # the same call, as after a lost reply
        await accept(store, account, workflow, plan, execution_id=execution_id)
    await store.executions.cancel(account.id, execution_id)

    row = await row_of(store, account, workflow.slug)
    assert row.runs_of_7_days == 21
    assert row.last_run is not None
    assert (row.last_run.status, row.last_run.credits_cost) == (ExecutionStatus.CANCELLED, 0)


async def test_runs_of_others_are_counted_and_are_not_the_last_run(
    store: Store, account: Account, other: Account
) -> None:
    public = document(public_playground=True)
    workflow = await store.workflows.create(account.id, public, [])
    found, plan = await store.workflows.plan(workflow.slug)
    assert plan is not None

    for runner in (other, account, other):
        await accept(store, runner, found, plan)
        row = await row_of(store, account, workflow.slug)
        assert (row.last_run is None) is (row.runs_of_7_days == 1)

    assert row.runs_of_7_days == 3


async def test_runs_of_former_days_are_forgotten_after_a_week(
    store: Store, account: Account
) -> None:
    workflow, _ = await save(store, account)
    key = keyspace.workflow(account.id, workflow.slug)
    days = [100, 100, 101, 103, 106, 107, 120]
    counted, accept_execution = [], SCRIPTS["accept_execution"]
    for number, day in enumerate(days):
        fields = {"slug": workflow.slug, "inputs": b""}
        names = acceptance(
            f"x{number}", workflow=key, now=day * DAY_MS + 1, version=1, fields=fields
        )
        await store.client.call(accept_execution, **names)
        runs = (await store.client.send("HGET", key, "runs")).decode()
        counted.append(runs.partition("|")[0])

    assert counted == [
        *("100:1,0,0,0,0,0,0", "100:2,0,0,0,0,0,0", "101:1,2,0,0,0,0,0", "103:1,0,1,2,0,0,0"),
        *("106:1,0,0,1,0,1,2", "107:1,1,0,0,1,0,1", "120:1,0,0,0,0,0,0"),
    ]
    assert len(runs) < 100


async def test_a_workflow_without_a_version_has_no_last_run(store: Store, account: Account) -> None:
    begun = await store.workflows.create_draft(account.id, Document(name="Idea"), [])

    row = await row_of(store, account, begun.slug)

    assert (row.last_run, row.runs_of_7_days, row.version) == (None, 0, 0)
