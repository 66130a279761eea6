"""The audit log: an entry for each administrative act, in the script of the act."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from engine.access.capabilities import Role, Tier
from engine.errors import AccountNotFound, InvalidBody, InvalidCursor, NotFound, StoreFull
from engine.ids.partitions import MAX_COUNT, partition_of
from engine.settings import Settings
from engine.store import Account, AuditEntry, Store
from engine.store.redis import keyspace
from tests.support.manifests import manifest
from tests.support.redis.installation import mark, process_with
from tests.support.store.redis_contents import contents

ADMIN = "acc_admin"


async def entries(store: Store) -> list[AuditEntry]:
    return (await store.audit.page(limit=200))[0]


async def newest(store: Store) -> dict[str, Any]:
    """Return what the newest entry says, without its id and time."""
    entry = (await entries(store))[0]
    return {name: getattr(entry, name) for name in ("by", "action", "subject", "before", "after")}


async def test_a_new_account_is_recorded(store: Store) -> None:
    before = await store.leases.now()

    made = await store.accounts.create(email="a@example.com", tier=Tier.PRO, by=ADMIN)

    [entry] = await entries(store)
    assert before <= entry.at <= await store.leases.now()
    assert await newest(store) == {
        "by": ADMIN,
        "action": "account.create",
        "subject": made.id,
        "before": None,
        "after": {"email": "a@example.com", "tier": "pro", "role": "user", "approved": True},
    }


async def test_a_change_of_an_account_is_recorded_with_what_changed(
    store: Store, account: Account
) -> None:
    await store.accounts.change(account.id, tier=Tier.BUSINESS, approved=True, by=ADMIN)

    assert await newest(store) == {
        "by": ADMIN,
        "action": "account.change",
        "subject": account.id,
        "before": {"tier": account.tier},
        "after": {"tier": "business"},
    }


async def test_a_change_that_changes_nothing_is_not_recorded(
    store: Store, account: Account
) -> None:
    before = await entries(store)

    await store.accounts.change(account.id, tier=account.tier, role=Role.USER)
    with pytest.raises(AccountNotFound):
        await store.accounts.change("acc_nobody", approved=True)

    assert await entries(store) == before


async def test_credits_are_recorded_with_the_balances(store: Store, account: Account) -> None:
    terms = store.tiers.terms(account.tier, account.role)
    had = (await store.wallets.get(account.id, terms)).balance

    for _ in range(2):  # as if the first reply were lost
        await store.wallets.top_up(
            account.id, terms, 70, operation="invoice-7", note='for "May"', by=ADMIN
        )

    assert len(await entries(store)) == 2
    assert await newest(store) == {
        "by": ADMIN,
        "action": "account.credit",
        "subject": account.id,
        "before": {"balance": had},
        "after": {"balance": had + 70, "credits": 70, "expiresAt": None, "note": 'for "May"'},
    }


async def test_refused_credits_are_not_recorded(store: Store, account: Account) -> None:
    before = await entries(store)
    terms = store.tiers.terms(account.tier, account.role)

    with pytest.raises(ValueError, match="over"):
        await store.wallets.top_up(account.id, terms, 70, expires_at=1)

    assert await entries(store) == before


async def test_a_login_link_is_recorded_without_its_token(store: Store, account: Account) -> None:
    token = await store.sessions.create_login(account.id, by=ADMIN)
    with pytest.raises(AccountNotFound):
        await store.sessions.create_login("acc_nobody", by=ADMIN)

    assert await newest(store) == {
        "by": ADMIN,
        "action": "account.login-link",
        "subject": account.id,
        "before": None,
        "after": None,
    }
    assert token[-20:] not in repr(await entries(store))


async def test_an_operators_work_on_keys_and_sessions_is_recorded_without_secrets(
    store: Store, account: Account
) -> None:
    key, secret = await store.api_keys.create(
        account, name="k", capabilities=["webhook:receive"], by="command"
    )
    created = await newest(store)
    url = "https://example.com/a-secret-path?token=a-secret"
    await store.webhooks.save(account.id, key.id, url=url, secret="s" * 20, by="command")
    hooked = await newest(store)
    await store.api_keys.revoke(key.id, by="command")
    revoked = await newest(store)
    await store.sessions.redeem(await store.sessions.create_login(account.id))
    [session], _ = await store.session_list.page(account.id, limit=10)
    await store.session_list.end(session.id, account.id, by="command")
    ended = await newest(store)

    facts = {
        "accountId": account.id,
        "name": "k",
        "last4": secret[-4:],
        "capabilities": ["webhook:receive"],
    }
    common = {"by": "command", "subject": key.id}
    assert created == {**common, "action": "key.create", "before": None, "after": facts}
    assert hooked == {
        **common,
        "action": "key.webhook",
        "before": None,
        "after": {"accountId": account.id, "host": "example.com"},
    }
    assert revoked == {**common, "action": "key.revoke", "before": facts, "after": None}
    assert ended == {
        "by": "command",
        "action": "session.end",
        "subject": session.id,
        "before": {"accountId": account.id},
        "after": None,
    }
    log = repr(await entries(store))
    for each in (secret[8:40], "a-secret", "s" * 20, session.digest):
        assert each not in log


async def test_an_operators_work_on_secrets_is_recorded_without_values(
    store: Store, account: Account
) -> None:
    facts = {"accountId": account.id}
    common = {"by": "command", "subject": "TOKEN"}

    await store.secrets.save(account.id, "TOKEN", "a-value", by="command")
    made = await newest(store)
    await store.secrets.save(account.id, "TOKEN", "another-value", by="command")
    changed = await newest(store)
    await store.secrets.delete(account.id, "TOKEN", by="command")
    deleted = await newest(store)
    before = await entries(store)
    await store.secrets.save(account.id, "TOKEN", "its-own-value")
    await store.secrets.delete(account.id, "TOKEN")

    assert made == {**common, "action": "secret.set", "before": None, "after": facts}
    assert changed == {**common, "action": "secret.set", "before": facts, "after": facts}
    assert deleted == {**common, "action": "secret.delete", "before": facts, "after": None}
    assert "value" not in repr(before)
    assert await entries(store) == before


async def test_what_an_owner_does_is_no_administrative_act(store: Store, account: Account) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
    before = await entries(store)

    await store.webhooks.save(account.id, key.id, url="https://example.com/hook")
    await store.api_keys.change(key.id, owner=account.id, name="renamed")
    await store.api_keys.revoke(key.id)
    login = await store.sessions.create_login(account.id)
    session = (await store.sessions.authorize(await store.sessions.redeem(login))).session
    assert session is not None
    await store.sessions.end(session)

    assert len(await entries(store)) == len(before) + 1  # the link, which a command makes


async def test_saved_models_are_recorded_by_version(store: Store) -> None:
    await store.models.create("own", manifest(), ADMIN)
    created = await newest(store)
    await store.models.update("own", manifest(), ADMIN)
    updated = await newest(store)
    await store.models.delete("own", ADMIN)
    deleted = await newest(store)
    with pytest.raises(NotFound):
        await store.models.delete("own", ADMIN)
    await store.models.create("own", manifest(), ADMIN)
    again = await newest(store)
    with pytest.raises(InvalidBody):
        await store.models.create("own", manifest(), ADMIN)

    common = {"by": ADMIN, "subject": "own"}
    assert created == {**common, "action": "model.create", "before": None, "after": {"version": 1}}
    assert updated == {
        **common,
        "action": "model.update",
        "before": {"version": 1},
        "after": {"version": 2},
    }
    assert deleted == {**common, "action": "model.delete", "before": {"version": 2}, "after": None}
    assert again["after"] == {"version": 3}
    assert len(await entries(store)) == 4


Act = Callable[[Store, Account], Awaitable[object]]
REFUSED_WHEN_FULL: dict[str, Act] = {
    "create": lambda store, _: store.accounts.create(email="a@example.com", tier=Tier.PRO),
    "link": lambda store, account: store.sessions.create_login(account.id),
    "credit": lambda store, account: store.wallets.top_up(
        account.id, store.tiers.terms(account.tier, account.role), 5
    ),
    "model": lambda store, _: store.models.create("own", manifest(), ADMIN),
}


@pytest.mark.parametrize("name", REFUSED_WHEN_FULL)
async def test_neither_act_nor_entry_is_done_in_a_full_redis(
    store: Store, account: Account, name: str
) -> None:
    await store.wallets.get(account.id, store.tiers.terms(account.tier, account.role))
    before = await contents(store.client)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    with pytest.raises(StoreFull):
        await REFUSED_WHEN_FULL[name](store, account)

    assert await contents(store.client) == before


async def test_pages_go_through_all_streams_newest_first(store: Store) -> None:
    for number in range(9):
        await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        await store.models.create(f"own-{number}", manifest(), ADMIN)
    every = await entries(store)

    found: list[AuditEntry] = []
    after = None
    while True:
        rows, after = await store.audit.page(limit=4, after=after)
        found += rows
        if after is None:
            break

    assert found == every
    assert len({entry.id for entry in found}) == 18
    assert [entry.at for entry in found] == sorted((each.at for each in found), reverse=True)


async def test_entries_of_one_millisecond_are_paged_once_each(store: Store) -> None:
    parts = ("by", "b", "action", "a", "subject", "s", "before", "null", "after", "null")
    for key in (keyspace.audit(2), keyspace.audit(5), keyspace.models_audit()):
        for number in range(3):
            await store.client.send("XADD", key, f"7-{number}", *parts)

    found: list[str] = []
    after = None
    for _ in range(9):
        [row], after = await store.audit.page(limit=1, after=after)
        found.append(row.id)

    assert len(set(found)) == 9
    assert after is None


@pytest.mark.parametrize("cursor", ["", "x", "1-2", "1-2-3", "-1-2-03", "1-2-03 ", "9" * 40])
async def test_a_text_that_is_no_entry_is_no_cursor(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await store.audit.page(limit=1, after=cursor)


async def test_old_entries_go_with_new_ones(settings: Settings, store: Store) -> None:
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    await asyncio.sleep(0.02)
    short = Store.open(replace(settings, audit_days=0.01 / 86_400))

    await short.accounts.set_tier(account.id, Tier.FREE)

    assert [entry.action for entry in await entries(store)] == ["account.change"]
    await short.close()


async def test_a_stream_has_about_ten_thousand_entries_at_most(
    store: Store, account: Account
) -> None:
    key = keyspace.audit(partition_of(account.id))
    parts = ("by", "b", "action", "a", "subject", "s", "before", "null", "after", "null")
    await asyncio.gather(*(store.client.send("XADD", key, "*", *parts) for _ in range(12_000)))

    await store.accounts.set_tier(account.id, Tier.FREE)

    assert 10_000 <= await store.client.send("XLEN", key) < 10_500
    assert (await newest(store))["after"] == {"tier": "free"}


async def test_entries_of_many_streams_are_paged(store: Store, redis_cleaner: redis.Redis) -> None:
    mark(redis_cleaner, partition_count=MAX_COUNT)
    with process_with(MAX_COUNT):
        parts = ("by", "b", "action", "a", "before", "null", "after", "null", "subject")
        streams = [keyspace.audit(9), keyspace.audit(99), keyspace.audit(1_023)]
        for key in (*streams, keyspace.models_audit()):
            await store.client.send("XADD", key, "7-0", *parts, key)

        pages, after = [], None
        for _ in range(4):
            rows, after = await store.audit.page(limit=1, after=after)
            pages += [each.subject for each in rows]

    assert pages == [keyspace.models_audit(), *reversed(streams)]
    assert after is None
