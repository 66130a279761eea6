"""Ledger over Redis and the history, page by page."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import insert, select

from engine.access.tiers import TierTerms
from engine.errors import Unavailable
from engine.history.archiving.entries import write_ledger
from engine.history.database.connections import Database
from engine.history.schema import ledger_entries
from engine.settings import Settings
from engine.store import Account, LedgerEntry, Store
from engine.store.accounts import ledger
from engine.store.archive.archive import EVERY_MOVEMENT, LedgerFilter, StreamId
from engine.store.archive.entries import ArchivedEntries
from engine.store.redis import keyspace
from tests.support.history.archived import History, opened, silent_archive


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


@pytest.fixture
def terms(store: Store, account: Account) -> TierTerms:
    return store.tiers.terms(account.tier, account.role)


async def move(history: History, account: Account, count: int) -> list[StreamId]:
    """Add movements, those of two executions in turn; return their places, newest first."""
    key = keyspace.ledger(account.id)
    for number in range(count):
        kind = ("reserve", "capture", "release")[number % 3]
        words = ("kind", kind, "bucket", "m0", "credits", -1, "reserved", 1)
        of = ("balance", 100 - number, "execution", f"run-{number % 2}")
        await history.store.client.send("XADD", key, f"{1_000 + number // 3}-{number}", *words, *of)
    return [(1_000 + number // 3, number) for number in reversed(range(count))]


async def archive(history: History, account: Account, forgotten: int) -> None:
    """Archive all entries, and let Redis have all but the oldest ones."""
    entries = ArchivedEntries(history.store.client)
    last = write_ledger(history.database, account.id, await entries.ledger(account.id, None))
    assert last is not None
    await entries.mark_ledger(account.id, last)
    key = keyspace.ledger(account.id)
    if not forgotten:
        return
    oldest = await history.store.client.send("XRANGE", key, "-", "+", "COUNT", forgotten)
    await history.store.client.send("XDEL", key, *(name for name, _ in oldest))


async def read_all(
    store: Store, account: Account, wanted: LedgerFilter = EVERY_MOVEMENT
) -> Sequence[tuple[StreamId, LedgerEntry]]:
    found: list[tuple[StreamId, LedgerEntry]] = []
    before = None
    while True:
        page = await store.ledgers.page(account.id, wanted, before=before, limit=3)
        assert len(page.entries) <= 3
        found += page.entries
        if page.last is None:
            return found
        before = page.last


@pytest.mark.parametrize("forgotten", [0, 1, 4, 11])
async def test_pages_have_each_entry_once_wherever_it_is(
    history: History, account: Account, forgotten: int
) -> None:
    places = await move(history, account, 11)
    before = await read_all(history.store, account)
    await archive(history, account, forgotten)
    places = [(2_000, 1), (2_000, 0), *places]
    for _, number in ((2_000, 0), (2_000, 1)):
        words = ("kind", "top-up", "bucket", "t0", "credits", 5, "reserved", 0, "balance", 9)
        key = keyspace.ledger(account.id)
        await history.store.client.send("XADD", key, f"2000-{number}", *words, "note", "a gift")

    found = await read_all(history.store, account)

    assert [place for place, _ in found] == places
    assert list(found)[2:] == list(before)
    assert found[0][1].note == "a gift"


async def test_entries_of_one_execution_are_found_in_both(
    history: History, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "CHUNK", 2)
    await move(history, account, 12)
    right = [each for each in await read_all(history.store, account) if each[1].node is None]
    right = [each for each in right if each[1].execution_id == "run-1"]

    of_run = LedgerFilter(execution_id="run-1")
    assert list(await read_all(history.store, account, of_run)) == right
    await archive(history, account, 5)
    assert list(await read_all(history.store, account, of_run)) == right
    assert await read_all(history.store, account, LedgerFilter(execution_id="unknown")) == []


@pytest.mark.parametrize("forgotten", [None, 0, 5, 12])
async def test_entries_of_a_kind_and_a_time_are_found_wherever_they_are(
    history: History, account: Account, monkeypatch: pytest.MonkeyPatch, forgotten: int | None
) -> None:
    monkeypatch.setattr(ledger, "CHUNK", 2)
    await move(history, account, 12)
    every = list(await read_all(history.store, account))
    times = sorted({at for (at, _), _ in every})
    since, until = times[1], times[-1]
    if forgotten is not None:
        await archive(history, account, forgotten)

    async def found(**conditions: Any) -> Sequence[tuple[StreamId, LedgerEntry]]:
        return list(await read_all(history.store, account, LedgerFilter(**conditions)))

    in_time = [each for each in every if since <= each[0][0] < until]
    of_kind = [each for each in every if each[1].kind == every[-1][1].kind]
    assert await found(since=since, until=until) == in_time
    assert await found(kind=every[-1][1].kind) == of_kind
    both = [each for each in in_time if each in of_kind]
    assert await found(kind=every[-1][1].kind, since=since, until=until) == both
    assert await found(kind="unknown") == []


async def test_hot_entries_are_shown_while_the_database_is_away(
    history: History, settings: Settings, account: Account
) -> None:
    places = await move(history, account, 6)
    await archive(history, account, 2)
    away = Store.open(settings, None, silent_archive())

    page = await away.ledgers.page(account.id, limit=10)

    assert [place for place, _ in page.entries] == places[:4]
    assert page.last == places[3]
    with pytest.raises(Unavailable):
        await away.ledgers.page(account.id, limit=10, before=page.last)
    await away.close()


async def test_a_top_up_has_its_note(store: Store, account: Account, terms: TierTerms) -> None:
    await store.wallets.top_up(account.id, terms, 7, note="invoice 7")

    page = await store.ledgers.page(account.id, limit=1)

    [(_, entry)] = page.entries
    assert (entry.kind, entry.credits, entry.note) == ("top-up", 7, "invoice 7")


async def test_an_archived_note_comes_back(
    history: History, account: Account, terms: TierTerms
) -> None:
    await history.store.wallets.top_up(account.id, terms, 7, note="for \0 you")
    await archive(history, account, 9)

    page = await history.store.ledgers.page(account.id, limit=1)

    assert page.entries[0][1].note == "for \N{REPLACEMENT CHARACTER} you"


async def test_wallet_and_ledger_agree_over_redis_and_the_history(
    history: History, account: Account, terms: TierTerms
) -> None:
    wallets, ledgers = history.store.wallets, history.store.ledgers
    assert await ledgers.check(account.id) == []
    await wallets.top_up(account.id, terms, 7)
    await archive(history, account, 0)
    await wallets.top_up(account.id, terms, 11)

    assert await ledgers.check(account.id) == []

    key = keyspace.ledger(account.id)
    [(name, _)] = await history.store.client.send("XREVRANGE", key, "+", "-", "COUNT", 1)
    await history.store.client.send("XDEL", key, name)  # it is in neither
    [fault] = await ledgers.check(account.id)
    assert fault.startswith("with the history, bucket t0.")


async def test_a_charge_that_is_in_the_history_twice_is_found(
    history: History, account: Account, terms: TierTerms
) -> None:
    await history.store.wallets.top_up(account.id, terms, 7)
    await archive(history, account, 1)  # Redis has folded the allowance, which is in one place
    assert await history.store.ledgers.check(account.id) == []

    with history.database.write() as connection:
        row = dict(connection.execute(select(ledger_entries).limit(1)).mappings().one())
        connection.execute(insert(ledger_entries).values(row | {"at": 1}))

    [fault] = await history.store.ledgers.check(account.id)
    assert fault.startswith(
        f"with the history, bucket {row['bucket']}: ledger {2 * row['credits']}"
    )
