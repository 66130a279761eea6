import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound, InvalidCursor
from engine.store import Store
from engine.store.accounts import accounts


async def test_an_account_is_read_as_it_was_created(store: Store) -> None:
    before = await store.leases.now()

    created = await store.accounts.create(
        email="ada@example.com", tier=Tier.BUSINESS, role=Role.ADMIN, approved=False
    )

    read = await store.accounts.get(created.id)
    assert read == created
    assert (read.email, read.tier, read.role) == ("ada@example.com", Tier.BUSINESS, Role.ADMIN)
    assert not read.approved
    assert before <= read.created_at <= await store.leases.now()


async def test_an_account_is_a_plain_approved_user_by_default(store: Store) -> None:
    account = await store.accounts.create(email="ada@example.com", tier=Tier.FREE)

    assert account.role is Role.USER
    assert account.approved


async def test_accounts_are_listed_oldest_first(store: Store) -> None:
    assert await store.accounts.list() == []
    made = [
        await store.accounts.create(email=f"user{number}@example.com", tier=Tier.PRO)
        for number in range(30)
    ]

    listed = await store.accounts.list()

    assert {account.id for account in listed} == {account.id for account in made}
    times = [account.created_at for account in listed]
    assert times == sorted(times)


async def test_an_unknown_account_is_not_found(store: Store) -> None:
    with pytest.raises(AccountNotFound):
        await store.accounts.get("acc_nobody")


@pytest.mark.parametrize(
    "email", ["", "ada", "ada @example.com", "ada@example.com\n", "a" * 250 + "@b.com", "a\ud800@b"]
)
async def test_an_invalid_email_address_is_refused(store: Store, email: str) -> None:
    with pytest.raises(ValueError):
        await store.accounts.create(email=email, tier=Tier.PRO)

    assert await store.accounts.list() == []


async def test_a_tier_that_is_none_is_refused(store: Store) -> None:
    tier: Any = "gold"

    with pytest.raises(ValueError):
        await store.accounts.create(email="a@example.com", tier=tier)


async def test_an_account_that_is_approved_or_moved_is_otherwise_as_it_was(store: Store) -> None:
    created = await store.accounts.create(email="a@example.com", tier=Tier.FREE, approved=False)

    approved = await store.accounts.approve(created.id)
    moved = await store.accounts.set_tier(created.id, Tier.BUSINESS)

    assert approved == replace(created, approved=True)
    assert moved == replace(created, approved=True, tier=Tier.BUSINESS)
    assert await store.accounts.get(created.id) == moved
    assert await store.accounts.approve(created.id) == moved


async def test_changes_at_the_same_time_are_all_kept(store: Store) -> None:
    moved = [
        await store.accounts.create(email="a@example.com", tier=Tier.FREE, approved=False)
        for _ in range(10)
    ]

    await asyncio.gather(
        *(store.accounts.approve(each.id) for each in moved),
        *(store.accounts.set_tier(each.id, Tier.PRO) for each in moved),
    )

    for each in moved:
        changed = await store.accounts.get(each.id)
        assert (changed.approved, changed.tier) == (True, Tier.PRO)


async def test_an_account_can_be_changed_when_redis_is_full(store: Store) -> None:
    created = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    assert (await store.accounts.set_tier(created.id, Tier.FREE)).tier is Tier.FREE


async def test_an_account_that_is_not_there_is_not_changed(store: Store) -> None:
    with pytest.raises(AccountNotFound):
        await store.accounts.approve("acc_nobody")
    with pytest.raises(AccountNotFound):
        await store.accounts.set_tier("acc_nobody", Tier.PRO)


async def test_accounts_come_in_pages_newest_first(store: Store) -> None:
    for number in range(5):
        await store.accounts.create(email=f"user{number}@example.com", tier=Tier.PRO)

    first, cursor = await store.accounts.page(limit=3)
    last, end = await store.accounts.page(limit=3, after=cursor)

    assert [*first, *last][::-1] == sorted(
        await store.accounts.list(), key=lambda each: (each.created_at, each.id)
    )
    assert (len(first), len(last), end) == (3, 2, None)
    with pytest.raises(InvalidCursor):
        await store.accounts.page(limit=3, after="acc_nobody")


async def test_accounts_are_found_by_a_part_of_their_address(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "EXAMINED_AT_ONCE", 2)
    monkeypatch.setattr(accounts, "EXAMINED_AT_MOST", 4)
    for number in range(9):
        domain = "Example.org" if number % 3 == 0 else "example.com"
        await store.accounts.create(email=f"user{number}@{domain}", tier=Tier.PRO)

    found: list[str] = []
    after = None
    for _ in range(9):
        rows, after = await store.accounts.page(limit=2, after=after, email="@EXAMPLE.org")
        found += [row.email for row in rows]
        if after is None:
            break

    assert sorted(found) == [f"user{number}@Example.org" for number in (0, 3, 6)]
    assert after is None
