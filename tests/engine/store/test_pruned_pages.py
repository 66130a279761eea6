"""Pages of an account's executions whose cursor names a row that is gone."""

from engine import keyspace
from engine.store import Account, Store
from tests.engine.store.conftest import Saved
from tests.engine.store.test_executions import accept_at


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
