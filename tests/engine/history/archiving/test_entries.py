"""Ledger entries and administrative acts in the history."""

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.history.archiving.entries import (
    audit_position,
    ledger_sums,
    read_ledger_positions,
    write_audit,
    write_ledger,
)
from engine.history.database.connections import Database
from engine.history.schema import audit_entries, ledger_carried, ledger_entries
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.archive.entries import ArchivedEntries
from engine.store.redis import keyspace
from tests.support.history.rows import table_rows
from tests.support.store.ended import Ending


@pytest.fixture
def entries(store: Store) -> ArchivedEntries:
    return ArchivedEntries(store.client)


@pytest.fixture
def terms() -> TierTerms:
    return load().terms(Tier.PRO, Role.USER)


async def test_a_ledger_is_written_once_in_its_order(
    store: Store, account: Account, entries: ArchivedEntries, terms: TierTerms, database: Database
) -> None:
    for credits in (5, 6):
        await store.wallets.top_up(account.id, terms, credits)
    first = await entries.ledger(account.id, None)
    last = write_ledger(database, account.id, first)
    assert last == first.entries[-1][0]
    await store.wallets.top_up(account.id, terms, 7)

    assert write_ledger(database, account.id, first) == last
    second = await entries.ledger(account.id, last)
    write_ledger(database, account.id, second)
    write_ledger(database, account.id, await entries.ledger(account.id, None))

    found = table_rows(database, ledger_entries)
    assert [row["credits"] for row in found] == [5_000, 5, 6, 7]
    assert [row["kind"] for row in found] == ["allowance", "top-up", "top-up", "top-up"]
    assert len(second.entries) == 1
    assert read_ledger_positions(database, [account.id, "other"]) == {
        account.id: second.entries[-1][0]
    }


async def test_an_entry_of_an_execution_names_it(
    store: Store, account: Account, entries: ArchivedEntries, terms: TierTerms, database: Database
) -> None:
    await store.wallets.top_up(account.id, terms, 5)
    key = keyspace.ledger(account.id)
    await store.client.send(
        *("XADD", key, "*", "kind", "capture", "bucket", "m0", "credits", "0"),
        *("reserved", "-3", "balance", "5", "execution", "x", "node", "2"),
    )

    write_ledger(database, account.id, await entries.ledger(account.id, None))

    row = table_rows(database, ledger_entries)[-1]
    assert (row["execution_id"], row["node"], row["reserved"]) == ("x", 2, -3)


async def test_sums_of_the_history_include_entries_of_before_it(
    store: Store, account: Account, entries: ArchivedEntries, terms: TierTerms, database: Database
) -> None:
    await store.wallets.top_up(account.id, terms, 5)
    await store.client.send("HSET", keyspace.wallet(account.id), "c:m0", 40, "c", -2)

    for _ in range(2):
        write_ledger(database, account.id, await entries.ledger(account.id, None))

    with database.read() as connection:
        sums = ledger_sums(connection, account.id)
    assert (sums["m0"], sums[""]) == (40, -2)
    assert sum(sums.values()) == 40 - 2 + 5_000 + 5
    assert len(table_rows(database, ledger_carried)) == 2


async def test_an_account_without_movements_has_no_position(
    account: Account, entries: ArchivedEntries, database: Database
) -> None:
    assert write_ledger(database, account.id, await entries.ledger(account.id, None)) is None


async def test_the_audit_log_is_written_once_by_stream(
    store: Store, account: Account, entries: ArchivedEntries, database: Database
) -> None:
    stream = partition_of(account.id)
    await store.accounts.set_tier(account.id, Tier.BUSINESS)
    part = await entries.audit(stream, None)

    last = write_audit(database, stream, part)

    assert write_audit(database, stream, part) == last == audit_position(database, stream)
    assert (await entries.audit(stream, last)).entries == []
    page, _ = await store.audit.page(limit=10)
    assert [
        (f"{row['at']}-{row['number']}-{row['stream']:02d}", row["action"], row["by"])
        for row in reversed(table_rows(database, audit_entries))
    ] == [(each.id, each.action, each.by) for each in page]
    assert audit_position(database, partitions.count()) is None
    assert (await entries.audit(partitions.count(), None)).is_all


async def test_charges_of_a_run_are_in_the_history_with_its_end(
    store: Store, account: Account, entries: ArchivedEntries, database: Database
) -> None:
    assert await (await Ending.of(store, account)).completed()

    assert (await entries.ledger(account.id, None)).is_all
    assert await entries.accounts(0, 10) == [account.id]
