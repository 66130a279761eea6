"""Usage over Redis and the history: pages, totals and cursors."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from engine.errors import Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import ExecutionFilter, Store
from engine.store.accounts import usage
from engine.store.archive.ended_executions import EndedRecord
from tests.support.history.archived import History, opened, silent_archive
from tests.support.history.rows import MONDAY, ended, some_records

ACCOUNT = "acc_1"
FILTERS = [
    ExecutionFilter(),
    ExecutionFilter(statuses=[ExecutionStatus.FAILED]),
    ExecutionFilter(workflow_slug="echo"),
    ExecutionFilter(model_id="gpt"),
    ExecutionFilter(model_id="gpt", workflow_slug="echo", statuses=[ExecutionStatus.COMPLETED]),
    ExecutionFilter(workflow_slug="none"),
    ExecutionFilter(tags=["a"]),
    ExecutionFilter(tags=["a", "b"], workflow_slug="echo"),
]


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


async def spread(history: History, records: Sequence[EndedRecord]) -> None:
    """Leave a third to Redis alone, a third to both, and a third to the database alone."""
    names = [each.reference for each in records]
    random.Random(3).shuffle(names)
    third = len(names) // 3
    await history.archive(names[third:])
    await history.forget(names[2 * third :])


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
async def test_pages_and_totals_are_those_of_one_list(
    history: History, wanted: ExecutionFilter
) -> None:
    records = some_records(60)
    await history.put(records)
    right = (await history.store.usage.page(ACCOUNT, wanted, limit=100, offset=0)).rows
    await spread(history, records)

    for offset in range(0, len(right) + 4, 3):
        page = await history.store.usage.page(ACCOUNT, wanted, limit=4, offset=offset)

        assert page.rows == right[offset : offset + 4], offset
        assert (page.total, page.is_exact, page.next_cursor) == (len(right), True, None)


async def test_a_cursor_leads_on_where_a_total_is_not_exact(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "COUNTED_AT_MOST", 5)
    records = some_records(45)
    await history.put(records)
    right = (await history.store.usage.page(ACCOUNT, ExecutionFilter(), limit=100, offset=0)).rows
    await spread(history, records)

    found = []
    page = await history.store.usage.page(ACCOUNT, ExecutionFilter(), limit=4, offset=0)
    while not page.is_exact:
        assert page.total > 5
        found += page.rows
        assert page.next_cursor is not None
        page = await history.store.usage.page(
            ACCOUNT, ExecutionFilter(), limit=4, offset=0, cursor=page.next_cursor
        )
        assert page.offset == len(found)

    assert (*found, *page.rows)[: len(right)] == right[: len(found) + len(page.rows)]
    assert page.total == len(right)


async def test_hot_rows_are_shown_while_the_database_is_away(
    history: History, settings: Settings
) -> None:
    records = [ended(created=MONDAY + number) for number in range(4)]
    await history.put(records)
    await history.move(records[1].reference)
    away = Store.open(settings, None, silent_archive())

    page = await away.usage.page(ACCOUNT, ExecutionFilter(), limit=10, offset=0)

    assert [row.id for row in page.rows] == [each.execution_id for each in records[:1:-1]]
    assert not page.is_exact
    with pytest.raises(Unavailable):
        await away.usage.page(
            ACCOUNT, ExecutionFilter(), limit=10, offset=0, cursor=page.next_cursor
        )
    await away.close()
