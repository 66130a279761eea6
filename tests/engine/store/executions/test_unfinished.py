"""Executions that have not ended are found, whichever set they are in."""

from engine.store import Account, Store
from engine.store.executions.unfinished import has_unfinished, scan_unfinished, unfinished_ids
from engine.store.redis import keyspace
from engine.store.waits.keys import waited


async def test_active_and_waiting_ones_are_found(store: Store, account: Account) -> None:
    assert not await has_unfinished(store.client, account.id)
    await store.client.send("SADD", waited(account.id), "waits", "runs again")
    assert await has_unfinished(store.client, account.id)
    await store.client.send("SADD", keyspace.active(account.id), "runs", "runs again")

    ids = {"waits", "runs", "runs again"}
    assert await unfinished_ids(store.client, account.id) == ids
    pages = [page async for page in scan_unfinished(store.client, account.id, 10)]
    assert {each for page in pages for each in page} == ids
