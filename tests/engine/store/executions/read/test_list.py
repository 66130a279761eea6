"""Pages of an account's executions during acceptances and removals."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.store import Account, ExecutionFilter, Store
from engine.store.executions.read import list
from engine.store.executions.read.scan import ScanPage, scan
from engine.store.redis import keyspace
from tests.engine.store.conftest import Saved
from tests.engine.store.executions.test_executions import accept_at


async def test_a_pruned_row_does_not_end_the_list(
    store: Store, account: Account, saved: Saved
) -> None:
    ids = [await accept_at(store, account, saved, 1_000 + i) for i in range(10)]
    page, cursor = await store.executions.list(account.id, limit=4)
    gone = page[-1].id
    await store.client.send("ZREM", keyspace.account_executions(account.id), gone)
    await store.client.send("DEL", keyspace.execution(account.id, ids[2]))

    rest, last = await store.executions.list(account.id, limit=50, cursor=cursor)

    expected = [each for each in ids[5::-1] if each != ids[2]]
    assert [row.id for row in rest] == expected
    assert last is None


async def test_a_pruned_row_has_no_row_of_the_same_time_shown_twice(
    store: Store, account: Account, saved: Saved
) -> None:
    for _ in range(5):
        await accept_at(store, account, saved, 1_000)
    older = await accept_at(store, account, saved, 999)
    page, cursor = await store.executions.list(account.id, limit=3)
    await store.client.send("ZREM", keyspace.account_executions(account.id), page[-1].id)

    rest, _ = await store.executions.list(account.id, limit=50, cursor=cursor)

    shown = [row.id for row in (*page, *rest)]
    assert len(shown) == len(set(shown))
    assert shown[-1] == older


async def test_pages_show_each_execution_once_while_others_are_accepted_and_removed(
    store: Store, account: Account, saved: Saved
) -> None:
    ids = [await accept_at(store, account, saved, 1_000 + i // 4) for i in range(40)]
    listed_key = keyspace.account_executions(account.id)
    seen, cursor = [], None
    for turn in range(20):
        rows, cursor = await store.executions.list(account.id, limit=3, cursor=cursor)
        seen += [row.id for row in rows]
        await accept_at(store, account, saved, 5_000 + turn)
        await store.client.send("ZREM", listed_key, rows[-1].id)  # the position of the cursor
        if cursor is None:
            break

    assert len(seen) == len(set(seen))
    assert set(seen) == set(ids)


async def test_a_rare_filter_gives_short_pages_that_lead_to_every_match(
    store: Store, account: Account, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list, "EXAMINED_AT_MOST", 10)
    monkeypatch.setattr(list, "CHUNK", 5)
    ids = [await accept_at(store, account, saved, 1_000 + i) for i in range(45)]
    for each in (ids[0], ids[17], ids[44]):
        key = keyspace.execution(account.id, each)
        await store.client.send("HSET", key, "status", "failed")

    pages, cursor = [], None
    while True:
        rows, cursor = await store.executions.list(
            account.id, ExecutionFilter(statuses=[ExecutionStatus.FAILED]), cursor=cursor
        )
        pages.append([row.id for row in rows])
        if cursor is None:
            break

    assert pages == [[ids[44]], [], [ids[17]], [], [ids[0]]]


async def test_an_execution_that_ends_after_it_matched_is_not_listed_as_processing(
    store: Store, account: Account, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await accept_at(store, account, saved, 1_000 + i) for i in range(3)]

    async def scan_before_an_end(*args: Any, **limits: Any) -> AsyncIterator[ScanPage]:
        async for page in scan(*args, **limits):
            key = keyspace.execution(account.id, ids[1])
            await store.client.send("HSET", key, "status", "completed")
            yield page

    monkeypatch.setattr(list, "scan", scan_before_an_end)

    rows, _ = await store.executions.list(
        account.id, ExecutionFilter(statuses=[ExecutionStatus.PROCESSING])
    )

    assert [row.id for row in rows] == [ids[2], ids[0]]
