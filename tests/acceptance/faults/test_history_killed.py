"""The archiver killed again and again: nothing is lost, and nothing is in the history twice."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.access.capabilities import Role, Tier
from engine.history.archiving.entries import ledger_sums
from engine.history.database.connections import Database
from engine.history.schema import (
    batches,
    deliveries,
    execution_records,
    executions,
    ledger_entries,
    nodes,
    rollups,
)
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.redis import batch_keys, keyspace
from tests.support.eventually import eventually
from tests.support.history.archiver_child import POINTS, start
from tests.support.history.rows import table_rows
from tests.support.store.ended import URL, Ending
from tests.support.store.ended_batches import EndingBatches

KILLS = 50
pytestmark = pytest.mark.slow


@pytest.fixture
def hot_for_a_moment(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url, hot_minutes=0)


@pytest.fixture
async def ending(store: Store, account: Account) -> AsyncIterator[Ending]:
    yield await Ending.of(store, account)


async def test_an_archiver_that_is_killed_fifty_times_loses_and_doubles_nothing(
    ending: Ending, hot_for_a_moment: Settings, database: Database
) -> None:
    random.seed(19)
    store, ended = ending.store, EndedExecutions(ending.store.client)
    terms = store.tiers.terms(Tier.PRO, Role.USER)
    key_id = await ending.with_webhook()
    made: list[str] = []
    delivered: list[str] = []
    over = EndingBatches(store, ending.account.id)
    for turn in range(KILLS):
        makers = (ending.completed, ending.failed, ending.cancelled, ending.walked_unclaimed)
        made += [await make() for make in makers for _ in range(3)]
        delivered.append(await ending.completed(key_id=key_id, webhook_url=URL))
        await ending.deliver(delivered[-1])
        await over.over()
        await store.wallets.top_up(ending.account.id, terms, 1 + turn)
        point = ("", *POINTS)[turn % (1 + len(POINTS))]
        process = start(hot_for_a_moment, point)
        if point:
            await asyncio.to_thread(process.join)
            continue
        waiting = (await ended.backlog()).count
        await eventually(ended.backlog, lambda left, all_=waiting: left.count < all_)
        await asyncio.sleep(random.uniform(0, 0.05))
        process.kill()
        process.join()
    made += delivered

    process = start(hot_for_a_moment)
    key = keyspace.account_executions(ending.account.id)
    await eventually(lambda: store.client.send("ZCARD", key), lambda left: left == 0)
    await eventually(lambda: unfinished(database), lambda left: not left)
    key = batch_keys.account_batches(ending.account.id)
    await eventually(lambda: store.client.send("ZCARD", key), lambda left: left == 0)
    process.kill()
    process.join()

    for table in (executions, execution_records):
        column = "id" if table is executions else "execution_id"
        found = Counter(
            keyspace.reference(row["account_id"], row[column])
            for row in table_rows(database, table)
        )
        assert found == Counter(made)
    days = [row for row in table_rows(database, rollups) if row["bucket"] == "day"]
    for dimension in ("workflow", "model", "key", "status"):
        figures = [row for row in days if row["dimension"] == dimension]
        assert sum(row["runs"] for row in figures) == len(made)
        assert sum(row["failed"] for row in figures) == 3 * KILLS
    assert len(table_rows(database, nodes)) == 2 * (2 * 3 * KILLS + KILLS) + 3 * KILLS
    assert len(table_rows(database, deliveries)) == KILLS
    assert len(table_rows(database, batches)) == KILLS
    amounts = [row["credits"] for row in table_rows(database, ledger_entries)]
    assert amounts == [5_000, *range(1, KILLS + 1)]
    with database.read() as connection:
        sums = ledger_sums(connection, ending.account.id)
    wallet = await store.wallets.get(ending.account.id, terms)
    assert sum(sums.values()) == wallet.balance
    assert await store.wallets.check(ending.account.id) == []


async def unfinished(database: Database) -> bool:
    """Return whether the history lacks deliveries or movements."""
    counts = len(table_rows(database, deliveries)), len(table_rows(database, ledger_entries))
    return counts != (KILLS, 1 + KILLS)
