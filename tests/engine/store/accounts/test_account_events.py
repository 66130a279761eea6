"""Events of an account: read once each, in order, whatever is cut."""

from collections.abc import Callable

import pytest

from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.accounts import account_events
from engine.store.accounts.account_events import ChangeKind
from engine.store.redis import keyspace
from tests.support.store.records import accept, save

SINCE = 1_000


async def add(store: Store, account: Account, *, begun: int = 0, ended: int = 0) -> None:
    """Add executions that begin and end one after the other from `SINCE` on."""
    for number in range(begun):
        key = keyspace.account_executions(account.id)
        await store.client.send("ZADD", key, SINCE + number, f"begun-{number:03}")
    for number in range(ended):
        reference = keyspace.reference(account.id, f"ended-{number:03}")
        listed = keyspace.account_executions(account.id)
        await store.client.send("ZADD", listed, 1, f"ended-{number:03}")
        key = keyspace.finished(partition_of(account.id))
        await store.client.send("ZADD", key, SINCE + number // 2, reference)


async def read_all(store: Store, account: Account) -> list[tuple[int, ChangeKind, str]]:
    """Read from `SINCE` to the present, page by page."""
    found, since = [], SINCE
    while True:
        page = await store.account_events.read_since(account.id, since)
        assert page.until > since
        found += [(each.at, each.kind, each.id) for each in page.events]
        if page.until > SINCE + 1_000_000:
            return found
        since = page.until


async def test_a_new_reader_begins_now(store: Store, account: Account) -> None:
    await add(store, account, begun=3)

    page = await store.account_events.read_since(account.id, None)

    seconds, _ = await store.client.send("TIME")
    assert page.events == []
    assert abs(page.until - int(seconds) * 1_000) < 60_000


@pytest.mark.parametrize(("most", "examined"), [(2, 5_000), (3, 500), (200, 5_000)])
async def test_each_event_is_read_once_and_in_order(
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    examined: int,
) -> None:
    monkeypatch.setattr(account_events, "MOST_OF_A_KIND", most)
    monkeypatch.setattr(account_events, "MOST_EXAMINED", examined)
    await add(store, account, begun=7, ended=10)

    found = await read_all(store, account)

    assert len(found) == len(set(found)) == 17
    assert [at for at, _, _ in found] == sorted(at for at, _, _ in found)


@pytest.mark.parametrize("key", [keyspace.account_executions, keyspace.account_changes])
async def test_a_millisecond_with_more_events_than_one_read_has_moves_on(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch, key: Callable[[str], str]
) -> None:
    monkeypatch.setattr(account_events, "MOST_OF_A_KIND", 2)
    for name in ("workflow:a", "workflow:b", "workflow:c"):
        await store.client.send("ZADD", key(account.id), SINCE, name)
    await store.client.send("ZADD", key(account.id), SINCE + 1, "workflow:d")

    full = await store.account_events.read_since(account.id, SINCE)
    rest = await store.account_events.read_since(account.id, SINCE + 1)

    assert (len(full.events), full.until) == (2, SINCE + 1)
    assert [each.id.removeprefix("workflow:") for each in rest.events] == ["d"]


async def test_ends_of_other_accounts_are_left_out(store: Store, account: Account) -> None:
    finished = keyspace.finished(partition_of(account.id))
    await store.client.send("ZADD", finished, SINCE, f"{account.id}x/another")
    await add(store, account, ended=1)

    assert [each for _, _, each in await read_all(store, account)] == ["ended-000"]


async def test_ends_of_children_are_left_out(store: Store, account: Account) -> None:
    await add(store, account, ended=2)
    key = keyspace.finished(partition_of(account.id))
    reference = keyspace.reference(account.id, "child")  # in no list of the account
    await store.client.send("ZADD", key, SINCE, reference)

    found = await read_all(store, account)

    assert [name for _, _, name in found] == ["ended-000", "ended-001"]


async def test_of_many_changes_the_newest_are_kept(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_events, "KEPT_CHANGES", 3)
    since = await store.leases.now()

    for number in range(5):
        await store.account_events.record_workflow(account.id, f"w{number}")

    key = keyspace.account_changes(account.id)
    assert await store.client.send("ZCARD", key) == 3
    kept = await store.client.send("ZRANGE", key, 0, -1)
    assert kept == [b"workflow:w2", b"workflow:w3", b"workflow:w4"]
    assert await store.client.send("PTTL", key) > 0
    assert since <= int((await store.client.send("ZRANGE", key, 0, 0, "WITHSCORES"))[0][1])


async def test_saves_and_deliveries_are_noted_the_last_time_each(
    store: Store, account: Account
) -> None:
    events, began = store.account_events, await store.account_events.read_since(account.id, None)
    for _ in range(2):
        await events.record_workflow(account.id, "greeting")
    await events.record_delivery(account.id, "d-1")

    page = await events.read_since(account.id, began.until)
    while len(page.events) < 2:
        page = await events.read_since(account.id, began.until)

    assert {(each.kind, each.id) for each in page.events} == {
        (ChangeKind.WORKFLOW, "greeting"),
        (ChangeKind.DELIVERY, "d-1"),
    }


async def test_the_last_movement_of_credits_is_the_balance(store: Store, account: Account) -> None:
    began = await store.account_events.read_since(account.id, None)
    terms = store.tiers.terms(account.tier, account.role)
    for credits in (10, 20):
        await store.wallets.top_up(account.id, terms, credits)

    page = await store.account_events.read_since(account.id, began.until)
    while not page.events:
        page = await store.account_events.read_since(account.id, began.until)

    (event,) = page.events
    assert event.entry is not None
    assert (event.kind, event.entry.credits) == (ChangeKind.BALANCE, 20)


async def test_an_accepted_execution_is_an_event(store: Store, account: Account) -> None:
    workflow, plan = await save(store, account)
    began = await store.account_events.read_since(account.id, None)
    accepted = await accept(store, account, workflow, plan)

    page = await store.account_events.read_since(account.id, began.until)
    while not page.events:
        page = await store.account_events.read_since(account.id, began.until)

    assert [(each.kind, each.id) for each in page.events] == [(ChangeKind.ACCEPTED, accepted.id)]
    assert page.events[0].at == accepted.created_at
