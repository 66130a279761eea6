"""A full, replicated or busy Redis from the side of callers."""

import asyncio

import pytest

from engine.access.capabilities import Tier
from engine.errors import StoreFull, Unavailable
from engine.executions.statuses import ExecutionStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.executions.claim import Lease
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from tests.conftest import RedisServer
from tests.support.store.records import BOTH_DONE, accept, save
from tests.support.workers.leases import beat


async def test_a_full_redis_ends_executions_and_accepts_no_new_ones(
    store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)
    first, second, third = [await accept(store, account, workflow, plan) for _ in range(3)]
    claims = [await store.walks.claim(f"{account.id}/{e.id}", "w1", "t") for e in (first, second)]
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    with pytest.raises(StoreFull):
        await accept(store, account, workflow, plan)
    with pytest.raises(StoreFull):
        await store.workflows.create(account.id, workflow.document, [])
    with pytest.raises(StoreFull):
        await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    step = Step(
        settled=BOTH_DONE,
        end=ExecutionStatus.COMPLETED,
    )
    advanced = await store.walks.advance(Lease(account.id, first.id, "w1", 1, "t"), 1, step)
    given = await store.walks.give_back(f"{account.id}/{second.id}", "w1", is_lost=True)
    cancelled = await store.executions.cancel(account.id, third.id)

    assert None not in claims
    assert advanced.verdict is Verdict.OK
    assert given
    assert cancelled is ExecutionStatus.CANCELLED
    assert (await store.executions.get(account.id, first.id)).status is ExecutionStatus.COMPLETED
    assert await beat(store, "w1", 1_000) > 0


async def test_a_replica_that_must_not_write_is_unavailable(own_server: RedisServer) -> None:
    store = Store.open(Settings(redis_url=own_server.url))
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    workflow, plan = await save(store, account)
    await store.client.send("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(Unavailable):
        await accept(store, account, workflow, plan)
    with pytest.raises(Unavailable):
        await store.client.send("SET", "x", 1)

    await store.close()


async def test_a_redis_busy_with_a_script_is_unavailable(own_server: RedisServer) -> None:
    client, other = (
        Client(RedisAddress.parse(own_server.url)),
        Client(RedisAddress.parse(own_server.url)),
    )
    await client.send("PING")
    await other.send("CONFIG", "SET", "busy-reply-threshold", 20)
    endless = client.send("EVAL", "while true do end", 0)
    await asyncio.sleep(0.1)

    with pytest.raises(Unavailable):
        await other.send("GET", "x")
    await other.send("SCRIPT", "KILL")

    with pytest.raises(RuntimeError):
        await endless
    assert await other.send("GET", "x") is None
    await client.close()
    await other.close()
