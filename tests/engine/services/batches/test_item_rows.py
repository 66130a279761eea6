"""Pages of a batch's items, with what became of their executions, wherever these are."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.errors import InvalidCursor, Unavailable
from engine.executions.batches import BatchStatus, ItemStatus
from engine.history.database.connections import Database
from engine.ids.executions import item_execution_id
from engine.services.batches.item_rows import ItemRow, read_item_rows
from engine.settings import Settings
from engine.store import Batch, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.read import list as pages
from engine.store.redis import batch_keys
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened
from tests.support.history.rows import ended

ID = "7d0c9a52-2f1e-4d3b-9b68-0a5c1e2f3d40"
BROKE = {"code": "EXECUTION_FAILED", "message": "It broke", "nodeId": "t"}
GONE = {"code": "WORKFLOW_NOT_FOUND", "message": "Workflow not found"}
EXECUTIONS = {0: "completed", 1: "failed", 4: "completed", 5: "cancelled"}
STATES = "cffpcxxq"
"""Item 2 never began, 3 goes on without being found, and 6 was cancelled before it began."""


@pytest.fixture
async def archived(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        await history.put(record(index, status) for index, status in EXECUTIONS.items())
        key = batch_keys.batch("acc_1", ID)
        await history.store.client.send("HSET", key, "f2", pack(GONE))
        yield history


def record(index: int, status: str) -> EndedRecord:
    made = ended(
        status=status,
        result=pack({"text": f"item {index}"}) if status == "completed" else b"",
        error=pack(BROKE) if status == "failed" else b"",
        spent=index,
    )
    return replace(made, execution_id=item_execution_id(ID, index))


def batch(states: str = STATES) -> Batch:
    return Batch(
        id=ID,
        account_id="acc_1",
        slug="echo",
        version=2,
        owner_id="",
        key_id="",
        status=BatchStatus.PROCESSING,
        states=states,
        concurrency=1,
        credits=0,
        tags=(),
        created_at=0,
        completed_at=None,
        webhook_url=None,
        webhook_owner="",
        retry_of="",
        retry="",
    )


async def rows_of(
    store: Store, *statuses: ItemStatus, limit: int = 50, cursor: str | None = None
) -> tuple[list[ItemRow], str | None]:
    return await read_item_rows(store, batch(), statuses, limit=limit, cursor=cursor)


async def all_rows(store: Store, *statuses: ItemStatus, limit: int) -> list[ItemRow]:
    rows, cursor = await rows_of(store, *statuses, limit=limit)
    while cursor is not None:
        more, cursor = await rows_of(store, *statuses, limit=limit, cursor=cursor)
        assert more, "a page is empty"
        rows += more
    return rows


def row(index: int, status: str, *, begun: bool = True, **members: object) -> ItemRow:
    known = {"result": None, "error": None, "credits_cost": 0} | members
    return ItemRow(
        index=index,
        status=ItemStatus(status),
        execution_id=item_execution_id(ID, index) if begun else None,
        **known,  # type: ignore[arg-type]
    )


ROWS = [
    row(0, "completed", result={"text": "item 0"}),
    row(1, "failed", error=BROKE, credits_cost=1),
    row(2, "failed", begun=False, error=GONE),
    row(3, "processing"),
    row(4, "completed", result={"text": "item 4"}, credits_cost=4),
    row(5, "cancelled", credits_cost=5),
    row(6, "cancelled", begun=False),
    row(7, "queued", begun=False),
]


@pytest.mark.parametrize("moved", [(), (0, 5), (0, 1, 4, 5)], ids=str)
@pytest.mark.parametrize("limit", [1, 3, 8])
async def test_each_item_is_there_once_wherever_its_execution_is(
    archived: History, moved: tuple[int, ...], limit: int
) -> None:
    if moved:
        await archived.move(*(f"acc_1/{item_execution_id(ID, index)}" for index in moved))

    assert await all_rows(archived.store, limit=limit) == ROWS


@pytest.mark.parametrize("limit", [1, 2, 8])
async def test_items_of_some_statuses_are_read_by_pages(archived: History, limit: int) -> None:
    failed, over = ItemStatus.FAILED, (ItemStatus.COMPLETED, ItemStatus.CANCELLED)

    assert await all_rows(archived.store, failed, limit=limit) == [ROWS[1], ROWS[2]]
    assert await all_rows(archived.store, *over, limit=limit) == [ROWS[i] for i in (0, 4, 5, 6)]


async def test_the_last_page_says_so(archived: History) -> None:
    rows, cursor = await rows_of(archived.store, ItemStatus.QUEUED, limit=1)

    assert (rows, cursor) == ([ROWS[7]], None)
    assert await rows_of(archived.store, cursor="8") == ([], None)


async def test_a_page_ends_where_results_are_large(
    archived: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 20)
    first, cursor = await rows_of(archived.store)

    assert first == ROWS[:4]
    assert cursor == "4"
    assert await all_rows(archived.store, limit=50) == ROWS


async def test_memory_is_reserved_for_large_results(
    archived: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "HELD_BYTES", 10)
    reserved: list[int] = []

    async def reserve(size: int) -> None:
        reserved.append(size)

    async def refuse(_: int) -> None:
        raise TimeoutError

    await read_item_rows(archived.store, batch(), (), limit=50, cursor=None, reserve=reserve)
    with pytest.raises(Unavailable):
        await read_item_rows(archived.store, batch(), (), limit=50, cursor=None, reserve=refuse)

    assert reserved == [2 * len(pack({"text": "item 0"}))]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "12345", "²"])
async def test_a_cursor_of_no_page_is_refused(archived: History, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await rows_of(archived.store, cursor=cursor)
