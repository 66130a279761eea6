"""Scans of an account's executions: filters, positions and the bound on the work."""

from engine.executions.filter import ExecutionFilter
from engine.store import Account, Store
from engine.store.executions.read.scan import read_rows, scan
from engine.store.redis import keyspace
from tests.engine.store.conftest import Saved
from tests.engine.store.executions.test_executions import accept_at


async def test_rows_follow_a_position_from_the_newest_on(
    store: Store, account: Account, saved: Saved
) -> None:
    for number in range(3):
        await accept_at(store, account, saved, number)
    key = keyspace.account_executions(account.id)
    names = [each.decode() for each in await store.client.send("ZREVRANGE", key, 0, -1)]

    newest = await read_rows(store.client, account.id, None, 2)
    rest = await read_rows(store.client, account.id, newest[-1], 2)

    assert [execution_id for _, execution_id in (*newest, *rest)] == names


async def test_a_scan_examines_no_more_than_its_bound(
    store: Store, account: Account, saved: Saved
) -> None:
    for number in range(3):
        await accept_at(store, account, saved, number)

    pages = [
        page async for page in scan(store.client, account.id, ExecutionFilter(), None, at_most=2)
    ]

    assert sum(len(page.matching) for page in pages) == 2
    assert not pages[-1].is_end
