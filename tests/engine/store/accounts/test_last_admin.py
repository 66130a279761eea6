"""The last admin keeps the role, although accounts are in partitions that no script spans."""

import asyncio

import pytest

from engine.access.capabilities import Role, Tier
from engine.errors import LastAdmin
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store import Account, Store
from engine.store.accounts import last_admin
from engine.store.accounts.last_admin import AdminGuarantees
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.script_scenarios import NO_ACT


async def make_admin(store: Store) -> Account:
    return await store.accounts.create(email="a@example.com", tier=Tier.PRO, role=Role.ADMIN)


async def make_two(store: Store, *, together: bool) -> tuple[Account, Account]:
    """Return the only two admins, of one partition or of two."""
    first = await make_admin(store)
    while True:
        second = await make_admin(store)
        is_wanted = (partition_of(first.id) == partition_of(second.id)) is together
        if is_wanted:
            return first, second
        await store.accounts.change(second.id, role=Role.USER)


async def admins(store: Store) -> list[str]:
    return [each.id for each in await store.accounts.list() if each.role is Role.ADMIN]


async def test_the_last_admin_keeps_the_role(store: Store, account: Account) -> None:
    admin = await make_admin(store)
    log = await store.audit.page(limit=10)

    with pytest.raises(LastAdmin):
        await store.accounts.change(admin.id, role=Role.USER, tier=Tier.FREE)

    assert await store.accounts.get(admin.id) == admin
    assert await store.audit.page(limit=10) == log
    assert (await store.accounts.change(admin.id, tier=Tier.FREE)).role is Role.ADMIN


@pytest.mark.parametrize("together", [True, False], ids=["one partition", "two partitions"])
async def test_one_of_two_admins_loses_the_role(store: Store, together: bool) -> None:
    first, second = await make_two(store, together=together)

    changed = await store.accounts.change(first.id, role=Role.USER)

    assert changed.role is Role.USER
    assert await admins(store) == [second.id]
    with pytest.raises(LastAdmin):
        await store.accounts.change(second.id, role=Role.USER)


@pytest.mark.parametrize("together", [True, False], ids=["one partition", "two partitions"])
async def test_two_admins_never_lose_the_role_at_once(store: Store, together: bool) -> None:
    first, second = await make_two(store, together=together)

    for _ in range(10):
        await asyncio.gather(
            *(store.accounts.change(each.id, role=Role.USER) for each in (first, second)),
            return_exceptions=True,
        )
        assert await admins(store)
        for each in (first, second):
            await store.accounts.change(each.id, role=Role.ADMIN)


async def test_a_pinned_admin_keeps_the_role_until_the_pin_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await make_two(store, together=False)
    guarantees = AdminGuarantees(store.client)
    guarantee = await guarantees.guarantee_outside(partition_of(first.id))
    assert guarantee is not None
    assert guarantee.partition == partition_of(second.id)

    with pytest.raises(LastAdmin):
        await store.accounts.change(second.id, role=Role.USER)
    await guarantees.release(guarantee)

    assert (await store.accounts.change(second.id, role=Role.USER)).role is Role.USER


async def test_a_pin_that_nobody_released_ends_by_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await make_two(store, together=False)
    monkeypatch.setattr(last_admin, "GUARANTEE_MS", 20)
    assert await AdminGuarantees(store.client).guarantee_outside(partition_of(first.id))
    monkeypatch.undo()
    await asyncio.sleep(0.03)

    assert (await store.accounts.change(second.id, role=Role.USER)).role is Role.USER


async def test_pins_are_not_left_behind(store: Store) -> None:
    first, _ = await make_two(store, together=False)

    await store.accounts.change(first.id, role=Role.USER)

    keys = [keyspace.admin_guarantees(each) for each in partitions.every()]
    assert not await store.client.send("EXISTS", *keys)


async def test_without_an_admin_elsewhere_nobody_is_pinned(store: Store) -> None:
    admin = await make_admin(store)

    assert await AdminGuarantees(store.client).guarantee_outside(partition_of(admin.id)) is None


@pytest.mark.parametrize(("now", "answer"), [(1_999, b"ok"), (2_000, b"last")])
async def test_the_admin_elsewhere_counts_until_the_very_millisecond_in_which_the_pin_ends(
    store: Store, account: Account, now: int, answer: bytes
) -> None:
    partition = partition_of(account.id)
    await store.accounts.change(account.id, role=Role.ADMIN)
    record = await store.client.send("HGET", keyspace.accounts(partition), account.id)

    reply = await store.client.call(
        SCRIPTS["replace_account"],
        accounts=keyspace.accounts(partition),
        admin_guarantees=keyspace.admin_guarantees(partition),
        audit=keyspace.audit(partition),
        now=now,
        account=account.id,
        record=record,
        new_record=record.replace(b"admin|", b"user|", 1),
        guaranteed_until=2_000,
        access_changes="changes",
        act=NO_ACT,
    )

    assert reply == answer
