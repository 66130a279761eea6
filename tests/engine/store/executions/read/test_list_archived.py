"""Lists over Redis and the history: one order, each match once, wherever it is."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from engine.errors import Unavailable
from engine.executions.execution import Execution
from engine.executions.filter import NONE
from engine.executions.statuses import ExecutionStatus
from engine.history.database.connections import Database
from engine.history.reading import execution_queries
from engine.settings import Settings
from engine.store import ExecutionFilter, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.read import list as pages
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened, silent_archive
from tests.support.history.matching import matches
from tests.support.history.rows import MONDAY, ended, some_records

ACCOUNT = "acc_1"
COMPLETED, FAILED, CANCELLED = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
)
FILTERS = [
    ExecutionFilter(),
    ExecutionFilter(statuses=[FAILED]),
    ExecutionFilter(statuses=[FAILED, CANCELLED]),
    ExecutionFilter(statuses=[COMPLETED, FAILED, CANCELLED]),
    ExecutionFilter(statuses=[ExecutionStatus.PROCESSING]),
    ExecutionFilter(workflow_slug="echo"),
    ExecutionFilter(workflow_slug="none"),
    ExecutionFilter(version=3),
    ExecutionFilter(source="app"),
    ExecutionFilter(key_id="key_2"),
    ExecutionFilter(model_id="gpt"),
    ExecutionFilter(model_id="gp"),
    ExecutionFilter(error_code="http_status"),
    ExecutionFilter(created_from=MONDAY + 30),
    ExecutionFilter(created_to=MONDAY + 30),
    ExecutionFilter(created_from=MONDAY + 20, created_to=MONDAY + 60),
    ExecutionFilter(id_start="a"),
    ExecutionFilter(id_start="b4"),
    ExecutionFilter(id_start="abc"),
    ExecutionFilter(statuses=[FAILED, CANCELLED], workflow_slug="echo", source="app"),
    ExecutionFilter(model_id="gpt", statuses=[COMPLETED], created_to=MONDAY + 70, id_start="a"),
    ExecutionFilter(error_code="http_status", model_id="claude", id_start="abc"),
    ExecutionFilter(tags=["a"]),
    ExecutionFilter(tags=["b", "a", "b"]),
    ExecutionFilter(tags=["a", "none"]),
    ExecutionFilter(tags=["b"], workflow_slug="echo", statuses=[FAILED, COMPLETED]),
    ExecutionFilter(tags=["a", "b"], model_id="gpt", created_from=MONDAY + 20),
    ExecutionFilter(batch_id="batch-1"),
    ExecutionFilter(batch_id="batch-2", tags=["a"], id_start="a"),
    ExecutionFilter(key_id=NONE),
    ExecutionFilter(key_id=NONE, model_id=NONE),
    ExecutionFilter(model_id=NONE, workflow_slug="echo"),
    ExecutionFilter(model_id=NONE, created_to=MONDAY + 70),
    ExecutionFilter(http_request_id="req-1"),
    ExecutionFilter(http_request_id="req-1", statuses=[FAILED], created_to=MONDAY + 70),
    ExecutionFilter(http_request_id="req-none"),
    ExecutionFilter(version=2, key_id="key_1", created_from=MONDAY + 10),
]


@pytest.fixture
async def archived(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


async def read_all(store: Store, wanted: ExecutionFilter, limit: int = 7) -> Sequence[Execution]:
    found: list[Execution] = []
    cursor: str | None = None
    for _ in range(200):
        rows, cursor = await store.executions.list(ACCOUNT, wanted, limit=limit, cursor=cursor)
        assert len(rows) <= limit
        found += rows
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


def in_order(records: Sequence[EndedRecord]) -> list[EndedRecord]:
    def place(record: EndedRecord) -> tuple[int, str]:
        return int(record.fields["created"]), record.execution_id

    return sorted(records, key=place, reverse=True)


async def expected(
    history: History, records: Sequence[EndedRecord]
) -> list[tuple[Execution, str | None, str | None]]:
    """Return the executions as Redis gives them, newest first, with their keys and requests."""

    def text(record: EndedRecord, name: str) -> str | None:
        return record.fields.get(name, b"").decode() or None

    return [
        (
            await history.store.executions.head(ACCOUNT, each.execution_id),
            text(each, "key"),
            text(each, "request"),
        )
        for each in in_order(records)
    ]


def shuffled(records: Sequence[EndedRecord], part: slice) -> list[str]:
    names = [each.reference for each in records]
    random.Random(7).shuffle(names)
    return names[part]


async def test_each_filter_finds_the_same_rows_wherever_executions_are(archived: History) -> None:
    records = some_records()
    await archived.put(records)
    rows = await expected(archived, records)
    # A third is in Redis alone, one in both, and one in the database alone.
    await archived.archive(shuffled(records, slice(30, 90)))
    await archived.forget(shuffled(records, slice(60, 90)))

    for wanted in FILTERS:
        right = [row for row, *begun in rows if matches(wanted, row, *begun)]

        assert list(await read_all(archived.store, wanted)) == right, wanted


async def test_a_list_is_complete_while_its_rows_move_to_the_database(archived: History) -> None:
    records = some_records(60)
    await archived.put(records)
    right = [row for row, *_ in await expected(archived, records)]
    left = [each.reference for each in in_order(records)]

    found: list[Execution] = []
    cursor: str | None = None
    while True:
        rows, cursor = await archived.store.executions.list(ACCOUNT, limit=5, cursor=cursor)
        found += rows
        await archived.move(left.pop(0), left.pop(-1), left.pop(len(left) // 2))
        if cursor is None:
            break

    assert found == right


async def test_pages_lead_to_rare_matches_among_bounded_numbers_of_rows(
    archived: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_queries, "EXAMINED", (1, 3))
    monkeypatch.setattr(execution_queries, "COMPARED", 2)
    monkeypatch.setattr(pages, "EXAMINED_AT_MOST", 6)
    monkeypatch.setattr(pages, "CHUNK", 3)
    records = some_records(60)
    await archived.put(records)
    rows = await expected(archived, records)
    await archived.archive(shuffled(records, slice(20, 60)))
    await archived.forget(shuffled(records, slice(40, 60)))

    for wanted in FILTERS:
        right = [row for row, *begun in rows if matches(wanted, row, *begun)]

        assert list(await read_all(archived.store, wanted)) == right, wanted


async def test_a_page_ends_before_its_results_are_too_large_wherever_they_are(
    archived: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 1_000)
    records = [ended(created=MONDAY + i, result=pack("x" * 400)) for i in range(6)]
    await archived.put(records)
    before = await archived.store.executions.list(ACCOUNT)
    await archived.move(*(each.reference for each in records))

    assert await archived.store.executions.list(ACCOUNT) == before
    assert len(before[0]) == 2


async def test_what_redis_has_is_listed_while_the_database_is_away(
    archived: History, settings: Settings
) -> None:
    records = in_order([ended(created=MONDAY + i) for i in range(6)])
    await archived.put(records)
    await archived.move(records[3].reference)
    away = Store.open(settings, None, silent_archive())

    rows, cursor = await away.executions.list(ACCOUNT)
    full, _ = await away.executions.list(ACCOUNT, limit=2)

    assert [row.id for row in rows] == [each.execution_id for each in records[:3]]
    assert [row.id for row in full] == [each.execution_id for each in records[:2]]
    with pytest.raises(Unavailable):
        await away.executions.list(ACCOUNT, cursor=cursor)
    await away.close()


async def test_nothing_is_asked_of_a_database_about_an_account_that_is_all_in_redis(
    archived: History, settings: Settings
) -> None:
    await archived.put([ended()])
    away = Store.open(settings, None, silent_archive())

    rows, cursor = await away.executions.list(ACCOUNT)

    assert (len(rows), cursor) == (1, None)
    await away.close()


async def test_an_archived_row_is_listed_among_those_of_its_millisecond_in_redis(
    archived: History, settings: Settings
) -> None:
    newest, *records = in_order([ended(created=MONDAY + 1), *(ended() for _ in range(4))])
    await archived.put([newest, *records])
    await archived.move(records[1].reference)
    ids = [each.execution_id for each in (newest, *records)]
    away = Store.open(settings, None, silent_archive())

    there = [row.id for row in await read_all(archived.store, ExecutionFilter(), limit=3)]
    known, cursor = await away.executions.list(ACCOUNT, limit=3)

    assert there == ids
    assert [row.id for row in known] == ids[:1]
    with pytest.raises(Unavailable):
        await away.executions.list(ACCOUNT, limit=3, cursor=cursor)
    await away.close()
