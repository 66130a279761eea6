"""Ended executions move to the history, and leave Redis only afterwards."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.graph.body_paths import BODY, format_path
from engine.graph.document import parse_document
from engine.history.archiving import execution_archive, execution_writer
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.archiving.execution_rows import ExecutionRows
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.schema import child_executions, executions, nodes, rollups
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.executions.record_fields import pack_name
from engine.store.redis import keyspace
from tests.support.factories import greeting
from tests.support.graphs.nested_graphs import per_item
from tests.support.history.rows import table_rows
from tests.support.store.ended import URL, Ending

Rows = dict[str, dict[str, Any]]


@pytest.fixture
def archive(store: Store, database: Database) -> ExecutionArchive:
    return ExecutionArchive(store, database)


@pytest.fixture
async def ending(store: Store, account: Account) -> Ending:
    return await Ending.of(store, account)


@pytest.fixture
def ended(store: Store) -> EndedExecutions:
    return EndedExecutions(store.client)


def archived(database: Database) -> Rows:
    """Return the rows of executions by reference."""
    return {
        keyspace.reference(row["account_id"], row["id"]): row
        for row in table_rows(database, executions)
    }


async def is_in_redis(store: Store, reference: str) -> bool:
    key = keyspace.execution(*keyspace.parse_reference(reference))
    return bool(await store.client.send("EXISTS", key))


async def end_at(store: Store, at: int, *references: str) -> None:
    """Let executions have ended in one millisecond."""
    for name in references:
        key = keyspace.finished(partition_of(keyspace.parse_reference(name)[0]))
        await store.client.send("ZADD", key, at, name)


async def forget_all(store: Store, archive: ExecutionArchive) -> None:
    later = await store.leases.now() + 60_000
    while any([await archive.forget(each, later) for each in range(16)]):
        pass


async def test_what_has_ended_is_written_once(
    archive: ExecutionArchive, ending: Ending, ended: EndedExecutions, database: Database
) -> None:
    names = [await ending.completed(), await ending.failed(), await ending.cancelled()]
    open_one = await ending.accept()

    first = await archive.archive()
    second = await archive.archive()

    assert {each.reference for each in first or ()} == set(names)
    assert second is None
    assert set(archived(database)) == set(names)
    assert {row["status"] for row in archived(database).values()} == {
        *("completed", "failed", "cancelled")
    }
    assert await ended.unarchived(10) == []
    assert all([await is_in_redis(ending.store, name) for name in (*names, open_one)])


async def test_a_batch_is_of_the_wanted_size(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    for _ in range(3):
        await ending.completed()

    assert len(await archive.archive(2) or ()) == 2
    assert len(await archive.archive(2) or ()) == 1


async def test_nodes_have_the_names_of_the_workflow(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    await ending.completed()

    await archive.archive()

    assert [(row["node_id"], row["type"]) for row in table_rows(database, nodes)] == [
        ("t", "textBox"),
        ("out", "responseOutput"),
    ]


async def test_nodes_of_a_child_have_the_names_of_the_body(
    archive: ExecutionArchive, ending: Ending, store: Store, database: Database
) -> None:
    body = greeting(0)
    document = parse_document(per_item(body).body())
    slug = (await store.workflows.create(ending.account.id, document, [])).slug
    name = await ending.completed()
    account_id, execution_id = keyspace.parse_reference(name)
    place = {"parent": execution_id, "parent_node_id": "each", "child": 0, "root": execution_id}
    fields = {"slug": slug, "version": 1, BODY: format_path(["each"]), **place}
    words = [word for pair in fields.items() for word in pair]
    await store.client.send("HSET", keyspace.execution(account_id, execution_id), *words)

    await archive.archive()

    assert [row["node_id"] for row in table_rows(database, nodes)] == ["in", "out"]
    [row] = table_rows(database, child_executions)
    assert (row["parent_node_id"], row["child_index"]) == ("each", 0)


async def test_an_execution_whose_workflow_is_gone_is_archived_all_the_same(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    reference = await ending.completed()
    await ending.store.client.send(
        "DEL",
        keyspace.workflow(ending.account.id, ending.workflow.slug),
        keyspace.workflow_node_names(ending.account.id, ending.workflow.slug),
    )
    await archive.archive()

    assert reference in archived(database)


async def test_an_end_without_a_record_leaves_the_list(
    archive: ExecutionArchive, ending: Ending, ended: EndedExecutions
) -> None:
    reference = await ending.completed()
    await ending.store.client.send("DEL", keyspace.execution(*keyspace.parse_reference(reference)))

    assert await archive.archive() == []
    assert await ended.unarchived(10) == []


async def test_a_stop_between_write_and_mark_doubles_nothing(
    archive: ExecutionArchive, ending: Ending, ended: EndedExecutions, database: Database
) -> None:
    reference = await ending.completed()
    await archive.archive()
    await ended.mark_unarchived([reference])

    await archive.archive()

    assert {row["runs"] for row in table_rows(database, rollups)} == {1}
    assert await ended.unarchived(10) == []


async def test_a_database_that_is_away_leaves_all_on_the_list(
    archive: ExecutionArchive,
    ending: Ending,
    ended: EndedExecutions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(database: Database, batch: Sequence[ExecutionRows]) -> int:
        raise HistoryUnavailable("gone")

    reference = await ending.completed()
    with monkeypatch.context() as patch:
        patch.setattr(execution_archive, "write_executions", fail)
        with pytest.raises(HistoryUnavailable):
            await archive.archive()

    assert await ended.unarchived(10) == [reference]
    assert [each.reference for each in await archive.archive() or ()] == [reference]


async def test_one_execution_that_the_database_refuses_stops_no_other(
    archive: ExecutionArchive,
    ending: Ending,
    ended: EndedExecutions,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [await ending.completed() for _ in range(3)]
    bad = keyspace.parse_reference(names[1])[1]

    def write(database: Database, batch: Sequence[ExecutionRows]) -> int:
        if any(each.execution["id"] == bad for each in batch):
            raise HistoryUnavailable("value too large", is_about_data=True)
        return execution_writer.write_executions(database, batch)

    monkeypatch.setattr(execution_archive, "write_executions", write)
    await archive.archive()

    assert set(archived(database)) == {names[0], names[2]}
    assert set(archive.refused.reasons()) == {names[1]}
    assert await ended.unarchived(10) == [names[1]]
    assert await archive.archive() is None
    await forget_all(ending.store, archive)
    assert [await is_in_redis(ending.store, name) for name in names] == [False, True, False]


async def test_a_record_that_cannot_be_read_stops_no_other(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    broken, whole = await ending.completed(), await ending.completed()
    key = keyspace.execution(*keyspace.parse_reference(broken))
    await ending.store.client.send("HSET", key, "created", "not a number")

    await archive.archive()

    assert set(archived(database)) == {whole}
    assert set(archive.refused.reasons()) == {broken}


async def test_a_refused_execution_takes_no_place_of_a_batch(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    broken = await ending.completed()
    key = keyspace.execution(*keyspace.parse_reference(broken))
    await ending.store.client.send("HSET", key, "created", "not a number")
    await archive.archive(1)
    whole = await ending.completed()

    assert [each.reference for each in await archive.archive(1) or ()] == [whole]
    assert set(archived(database)) == {whole}


async def test_redis_forgets_only_what_the_history_has(
    archive: ExecutionArchive, ending: Ending, ended: EndedExecutions, database: Database
) -> None:
    first = await ending.completed()
    await archive.archive()
    second = await ending.completed()
    await ended.mark_archived([second])  # as by an older version, which has no list

    await forget_all(ending.store, archive)

    assert not await is_in_redis(ending.store, first)
    assert await is_in_redis(ending.store, second)
    assert await ended.unarchived(10) == [second]
    await archive.archive()
    await forget_all(ending.store, archive)
    assert not await is_in_redis(ending.store, second)
    assert set(archived(database)) == {first, second}


async def test_redis_keeps_what_ended_a_short_while_ago(
    archive: ExecutionArchive, ending: Ending
) -> None:
    reference = await ending.completed()
    await archive.archive()
    partition = partition_of(ending.account.id)

    assert not await archive.forget(partition, await ending.store.leases.now() - 60_000)

    assert await is_in_redis(ending.store, reference)


@pytest.mark.parametrize("is_one_moment", [False, True])
async def test_executions_that_have_to_stay_hold_up_no_others(
    is_one_moment: bool,
    archive: ExecutionArchive,
    ending: Ending,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where more have ended in one millisecond than a page has."""
    monkeypatch.setattr(execution_archive, "FORGET_BATCH", 2)
    key_id = await ending.with_webhook()
    delivered = [await ending.completed(key_id=key_id, webhook_url=URL) for _ in range(4)]
    others = [await ending.completed() for _ in range(5)]
    if is_one_moment:
        await end_at(ending.store, 7_000, *delivered, *others)
    await archive.archive()

    await forget_all(ending.store, archive)

    assert all([await is_in_redis(ending.store, name) for name in delivered])
    assert not any([await is_in_redis(ending.store, name) for name in others])


async def test_a_retry_that_came_after_the_archiving_is_known_to_the_history(
    archive: ExecutionArchive, ending: Ending, database: Database
) -> None:
    reference = await ending.failed()
    await archive.archive()
    key = keyspace.execution(*keyspace.parse_reference(reference))
    await ending.store.client.send("HSET", key, "retry", "the-retry")

    await forget_all(ending.store, archive)

    assert archived(database)[reference]["retried_by"] == "the-retry"
    assert not await is_in_redis(ending.store, reference)


async def test_executions_of_before_the_history_are_found_a_page_at_a_time(
    archive: ExecutionArchive,
    ending: Ending,
    ended: EndedExecutions,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execution_archive, "CHECK_BATCH", 2)
    names = [await ending.completed() for _ in range(5)]
    await ended.mark_archived(names)
    for at, name in enumerate(names, start=1):
        await end_at(ending.store, at, name)
    partition = partition_of(ending.account.id)
    now = await ending.store.leases.now()

    pages = 0
    while await archive.check(partition, now):
        pages += 1
        await archive.archive()
    await archive.archive()

    assert pages >= 2
    assert set(archived(database)) == set(names)
    assert not await archive.check(partition, now)


async def test_a_page_has_all_ends_of_its_last_millisecond(
    archive: ExecutionArchive,
    ending: Ending,
    ended: EndedExecutions,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execution_archive, "CHECK_BATCH", 2)
    names = [await ending.completed() for _ in range(7)]
    await ended.mark_archived(names)
    await end_at(ending.store, 1, names[0])
    await end_at(ending.store, 2, *names[1:6])
    await end_at(ending.store, 3, names[6])
    partition, now = partition_of(ending.account.id), await ending.store.leases.now()

    while await archive.check(partition, now):
        pass

    assert set(await ended.unarchived(10)) == set(names)


async def test_an_end_of_this_minute_is_left_to_the_list(
    archive: ExecutionArchive, ending: Ending, ended: EndedExecutions
) -> None:
    reference = await ending.completed()
    await ended.mark_archived([reference])

    await archive.check(partition_of(ending.account.id), await ending.store.leases.now())

    assert await ended.unarchived(10) == []


async def test_the_object_of_an_event_goes_as_redis_forgets_its_execution(
    archive: ExecutionArchive, ending: Ending, store: Store
) -> None:
    forgotten, hot = await ending.completed(), await ending.completed()
    for name in (forgotten, hot):
        ids = keyspace.parse_reference(name)
        await store.offloaded.put(*ids, "event.4", b"body", seconds=9)
        await store.offloaded.put(*ids, "result.6", b"result", seconds=9)
        fields = ("trigger", "trg_1", "event", pack_name("event.4"))
        await store.client.send("HSET", keyspace.execution(*ids), *fields)
    await end_at(store, 1, forgotten)
    await archive.archive()

    await archive.forget(partition_of(ending.account.id), 2)

    assert not await is_in_redis(store, forgotten)
    assert await store.offloaded.read(*keyspace.parse_reference(forgotten), "result.6") == b"result"
    assert await store.offloaded.read(*keyspace.parse_reference(hot), "event.4") == b"body"
    with pytest.raises(FileNotFoundError):
        await store.offloaded.read(*keyspace.parse_reference(forgotten), "event.4")
