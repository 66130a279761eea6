"""Lists of the children of a node: in the order of their indexes, hot and archived ones alike."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from engine.errors import ExecutionNotFound, InvalidCursor
from engine.executions.batches import BatchCounts
from engine.executions.statuses import ExecutionStatus
from engine.history.archiving.execution_rows import make_rows
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.ids.executions import child_execution_id
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.archive import ParentNode
from engine.store.children.keys import children
from engine.store.executions.record_fields import make_cursor
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened
from tests.support.history.rows import NAMES, ended
from tests.support.store.child_runs import NODE, NODE_ID, ChildRuns
from tests.support.store.records import save

COMPLETED, FAILED = ExecutionStatus.COMPLETED, ExecutionStatus.FAILED


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


@pytest.fixture
async def runs(history: History, account: Account) -> ChildRuns:
    """Return a root whose first node runs."""
    runs = ChildRuns(history.store, account, await save(history.store, account))
    await runs.begin_root()
    return runs


async def put_states(runs: ChildRuns, states: str) -> None:
    """Open a group, begin its children, and write the statuses that these states tell.

    A `-` stands for a child that failed before it began.
    """
    group = await runs.open(len(states))
    indexes = [index for index, state in enumerate(states) if state in "pcfx"]
    await runs.begin(*indexes)
    named = {"p": "processing", "c": "completed", "f": "failed", "x": "cancelled"}
    send, account_id = runs.store.client.send, runs.account.id
    for index in indexes:
        key = keyspace.execution(account_id, runs.child_id(index))
        await send("HSET", key, "status", named[states[index]], "result", pack({"text": "hi"}))
    key = children(account_id, group.ref.parent_id, NODE)
    await send("HSET", key, "s0", states.replace("-", "f"))


async def listed(
    runs: ChildRuns, *statuses: ExecutionStatus, limit: int = 50, node_id: str = NODE_ID
) -> Sequence[int]:
    """Return the indexes of all pages."""
    indexes: list[int] = []
    cursor = None
    place = ParentNode(runs.parent_id, node_id)
    while True:
        rows, cursor = await runs.store.executions.children.page(
            runs.account.id, place, statuses, limit=limit, cursor=cursor
        )
        assert len(rows) <= limit
        indexes += [each.child.index for each in rows if each.child]
        if cursor is None:
            return indexes


async def leave(history: History, runs: ChildRuns, *indexes: int) -> None:
    """Move children to the history: Redis forgets their records."""
    for index in indexes:
        record = ended(
            account_id=runs.account.id, parent=runs.parent_id, parent_node_id=NODE_ID, child=index
        )
        name = runs.child_id(index)
        rows = make_rows(replace(record, execution_id=name), NAMES)
        write_executions(history.database, [rows])
        client = history.store.client
        await client.send("DEL", keyspace.execution(runs.account.id, name))
        key = keyspace.newest_forgotten(partition_of(runs.account.id))
        await client.send("HSET", key, runs.account.id, record.fields["created"])


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_children_come_in_the_order_of_their_items(runs: ChildRuns, limit: int) -> None:
    await put_states(runs, "cfp-xqq")

    assert await listed(runs, limit=limit) == [0, 1, 2, 4]
    assert await listed(runs, FAILED, limit=limit) == [1]
    assert await listed(runs, COMPLETED, FAILED, limit=limit) == [0, 1]
    assert await listed(runs, ExecutionStatus.PROCESSING, limit=limit) == [2]
    assert await listed(runs, ExecutionStatus.CANCEL_REQUESTED, limit=limit) == []


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_children_that_redis_has_forgotten_are_among_them(
    runs: ChildRuns, history: History, limit: int
) -> None:
    await put_states(runs, "cpcqc")
    await leave(history, runs, 0, 4)

    assert await listed(runs, limit=limit) == [0, 1, 2, 4]
    assert await listed(runs, COMPLETED, limit=limit) == [0, 2, 4]


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_without_the_group_the_history_has_the_children(
    runs: ChildRuns, history: History, limit: int
) -> None:
    await put_states(runs, "ccccc")
    await leave(history, runs, *range(5))
    await runs.store.client.send("DEL", children(runs.account.id, runs.parent_id, NODE))

    assert await listed(runs, limit=limit) == [0, 1, 2, 3, 4]
    assert await listed(runs, FAILED, limit=limit) == []


async def test_a_page_has_the_results_and_places_of_children(
    runs: ChildRuns, history: History
) -> None:
    await put_states(runs, "cc")
    await leave(history, runs, 1)

    place = ParentNode(runs.parent_id, NODE_ID)
    rows, _ = await runs.store.executions.children.page(
        runs.account.id, place, (), limit=9, cursor=None
    )

    assert [each.result for each in rows] == [{"text": "hi"}, {"text": "hello"}]
    assert {each.child.parent_id for each in rows if each.child} == {runs.parent_id}
    assert {each.child.node_id for each in rows if each.child} == {NODE_ID}
    assert [each.id for each in rows] == [
        child_execution_id(runs.parent_id, NODE_ID, index) for index in range(2)
    ]


async def test_other_nodes_parents_and_cursors(runs: ChildRuns, account: Account) -> None:
    await put_states(runs, "cc")
    page = runs.store.executions.children.page

    assert await listed(runs, node_id="out") == []
    unknown = ParentNode("00000000-0000-4000-8000-000000000000", NODE_ID)
    with pytest.raises(ExecutionNotFound):
        await page(account.id, unknown, (), limit=9, cursor=None)
    with pytest.raises(ExecutionNotFound):
        await page("acc_other", ParentNode(runs.parent_id, NODE_ID), (), limit=9, cursor=None)
    of_another = make_cursor(0, unknown.parent_id)
    with pytest.raises(InvalidCursor):
        await page(account.id, ParentNode(runs.parent_id, NODE_ID), (), limit=9, cursor=of_another)


async def test_nodes_have_counts_and_the_first_children_that_began(
    runs: ChildRuns, history: History
) -> None:
    await put_states(runs, "c-fpxq")
    await leave(history, runs, 2)
    reads = runs.store.executions.children

    [[index, found]] = (await reads.of_nodes(runs.account.id, runs.parent_id)).items()

    assert (index, found.size) == (NODE, 6)
    assert found.counts == BatchCounts(queued=1, processing=1, completed=1, failed=2, cancelled=1)
    place = ParentNode(runs.parent_id, NODE_ID)
    ids = await reads.first_ids(runs.account.id, place, found, 100)
    assert ids == [runs.child_id(each) for each in (0, 2, 3, 4)]
    assert await reads.first_ids(runs.account.id, place, found, 1) == ids[:1]


async def test_an_archived_parent_keeps_the_counts_of_its_end(
    runs: ChildRuns, history: History
) -> None:
    await put_states(runs, "ccfpq")
    account_id, parent_id = runs.account.id, runs.parent_id
    send, partition = history.store.client.send, partition_of(account_id)
    name = keyspace.reference(account_id, parent_id)
    key = keyspace.execution(account_id, parent_id)
    await send("HSET", key, "status", "failed", "completed", 2_000_000_000_000)
    await send("ZADD", keyspace.finished(partition), 1, name)
    await history.move(name)
    await send("DEL", children(account_id, parent_id, NODE))

    [found] = (await runs.store.executions.children.of_nodes(account_id, parent_id)).values()

    assert found.size == 5
    assert found.counts == BatchCounts(completed=2, failed=1, cancelled=2)


async def test_the_caller_of_a_public_workflow_sees_no_children(
    runs: ChildRuns, store: Store
) -> None:
    await put_states(runs, "cc")
    send, account_id = store.client.send, runs.account.id
    for name in (runs.parent_id, runs.child_id(0)):
        await send("HSET", keyspace.execution(account_id, name), "owner", "acc_owner")

    assert await listed(runs) == []
    assert await runs.store.executions.children.of_nodes(account_id, runs.parent_id) == {}
    assert (await runs.store.executions.get(account_id, runs.parent_id)).id == runs.parent_id
    for read in (
        runs.store.executions.get,
        runs.store.executions.head,
        runs.store.executions.facts,
    ):
        with pytest.raises(ExecutionNotFound):
            await read(account_id, runs.child_id(0))
