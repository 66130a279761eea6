import asyncio
from dataclasses import replace

import pytest

from engine.access.capabilities import PRESETS, Role, Tier
from engine.errors import (
    ApiKeyAccessDenied,
    CapabilityAboveCeiling,
    InvalidCapability,
    NotFound,
    StoreFull,
    Unauthorized,
)
from engine.ids import api_keys, tokens
from engine.ids.partitions import partition_of
from engine.settings import Settings
from engine.store import Account, ApiKey, Store
from engine.store.accounts.accounts import pack_account
from engine.store.accounts.key_records import pack_key
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.redis.proxy import running_proxy
from tests.support.store.frozen_clock import set_clock
from tests.support.store.redis_contents import contents


async def test_a_key_speaks_for_its_account(store: Store, account: Account) -> None:
    key, secret = await store.api_keys.create(
        account, name="laptop", capabilities=["workflow:run", "workflow:read", "workflow:run"]
    )

    principal = await store.api_keys.authorize(secret)

    assert principal.account == account
    assert principal.key == key
    assert key.capabilities == ("workflow:read", "workflow:run")
    assert key.prefix == secret[:12]
    assert key.last4 == secret[-4:]
    assert key.account_id == account.id


async def test_a_malformed_key_costs_no_command(settings: Settings, api_key: str) -> None:
    wrong_checksum = api_key[:-1] + ("0" if api_key[-1] != "0" else "1")
    malformed = [
        *("", "x", api_key + "x", " " + api_key, api_key + "\n", api_key.upper(), wrong_checksum),
        *("hr_live_", "hr_live_" + "é" * 43 + "_000000", "\ud800", "\0" * 58, "x" * 1_000_000),
    ]
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))

        for text in malformed:
            with pytest.raises(Unauthorized):
                await far.api_keys.authorize(text)
        assert proxy.connections == 0

        assert await far.api_keys.authorize(api_key)
        assert proxy.connections == 1
        await far.close()


async def test_a_key_is_checked_with_one_round_trip(settings: Settings, api_key: str) -> None:
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        await far.api_keys.authorize(api_key)
        await far.ping()  # after the record of the key's first use
        proxy.requests.clear()

        await asyncio.gather(*(far.api_keys.authorize(api_key) for _ in range(10)))

        assert len(proxy.requests) == 1
        await far.close()


async def test_an_unknown_key_is_unauthorized(store: Store, account: Account) -> None:
    with pytest.raises(Unauthorized):
        await store.api_keys.authorize(api_keys.make_secret(account.id))


async def test_a_revoked_key_fails_at_once_everywhere(
    store: Store, settings: Settings, account: Account
) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    other = Store.open(settings)
    assert await other.api_keys.authorize(secret)

    assert await store.api_keys.revoke(key.id) == key

    for each in (store, other):
        with pytest.raises(Unauthorized):
            await each.api_keys.authorize(secret)
    assert await store.api_keys.list(account.id) == []
    with pytest.raises(NotFound):
        await store.api_keys.revoke(key.id)
    await other.close()


async def test_a_key_can_be_revoked_when_redis_is_full(store: Store, account: Account) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    assert await store.api_keys.authorize(secret)
    await store.api_keys.revoke(key.id)

    with pytest.raises(Unauthorized):
        await store.api_keys.authorize(secret)
    with pytest.raises(StoreFull):
        await store.api_keys.create(account, name="k", capabilities=["workflow:run"])


async def test_nothing_of_the_secret_is_at_rest(store: Store, account: Account) -> None:
    _, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.api_keys.authorize(secret)
    random_part = secret.removeprefix("hr_live_")[:43]

    everything = repr(await contents(store.client))

    for start in range(len(random_part) - 8):
        assert random_part[start : start + 8] not in everything
    assert secret not in everything
    assert tokens.digest(secret) in everything


async def test_the_last_use_of_a_key_is_known_to_the_minute(
    store: Store, settings: Settings, account: Account
) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    before, unused = await store.leases.now(), await store.api_keys.last_uses(account.id)

    await store.api_keys.authorize(secret)
    first = await store.api_keys.last_uses(account.id)
    await store.api_keys.authorize(secret)
    second = await store.api_keys.last_uses(account.id)
    other = Store.open(settings)
    await asyncio.sleep(0.002)
    await other.api_keys.authorize(secret)
    third = await other.api_keys.last_uses(account.id)

    assert unused == {}
    assert first == second
    assert before <= first[key.id] < third[key.id] <= await store.leases.now()
    await other.close()


async def test_a_use_does_not_outlive_its_key(store: Store, account: Account) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await store.api_keys.authorize(secret)

    await store.api_keys.revoke(key.id)

    is_recorded = await store.client.call(
        SCRIPTS["record_key_use"],
        account_api_keys=keyspace.account_api_keys(account.id),
        key_uses=keyspace.account_key_uses(account.id),
        api_key=key.id,
    )
    assert is_recorded == 0
    assert await store.api_keys.last_uses(account.id) == {}


async def test_a_key_is_revoked_by_its_owner_alone(store: Store, account: Account) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    other = await store.accounts.create(email="b@example.com", tier=Tier.PRO)

    with pytest.raises(NotFound) as foreign:
        await store.api_keys.revoke(key.id, owner=other.id)
    with pytest.raises(NotFound) as unknown:
        await store.api_keys.revoke("key_nothing", owner=other.id)

    assert foreign.value.message == unknown.value.message
    assert await store.api_keys.authorize(secret)
    assert await store.api_keys.revoke(key.id, owner=account.id) == key


async def test_an_unknown_key_id_cannot_be_revoked(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.api_keys.revoke("key_nothing")


async def test_keys_are_listed_for_their_account_alone(store: Store, account: Account) -> None:
    other = await store.accounts.create(email="b@example.com", tier=Tier.PRO)
    keys = [
        (await store.api_keys.create(account, name=f"k{i}", capabilities=["workflow:run"]))[0]
        for i in range(5)
    ]
    await store.api_keys.create(other, name="theirs", capabilities=["workflow:run"])

    listed = await store.api_keys.list(account.id)

    assert sorted(listed, key=lambda key: key.id) == sorted(keys, key=lambda key: key.id)
    assert [key.created_at for key in listed] == sorted(key.created_at for key in keys)


@pytest.mark.parametrize(
    ("tier", "capabilities", "error"),
    [
        (Tier.FREE, ["workflow:run"], ApiKeyAccessDenied),
        (Tier.CREATOR, ["workflow:run"], ApiKeyAccessDenied),
        (Tier.PRO, ["workflow:run", "model:run"], CapabilityAboveCeiling),
        (Tier.PRO, ["*"], CapabilityAboveCeiling),
        (Tier.ENTERPRISE, ["*"], CapabilityAboveCeiling),
        (Tier.PRO, ["workflow:fly"], InvalidCapability),
        (Tier.PRO, [], ValueError),
    ],
)
async def test_a_key_stays_under_the_ceiling_of_the_tier(
    store: Store, tier: Tier, capabilities: list[str], error: type[Exception]
) -> None:
    account = await store.accounts.create(email="a@example.com", tier=tier)

    with pytest.raises(error):
        await store.api_keys.create(account, name="k", capabilities=capabilities)

    assert await store.api_keys.list(account.id) == []


async def test_an_admin_may_hold_everything_whatever_the_tier(store: Store) -> None:
    admin = await store.accounts.create(email="a@example.com", tier=Tier.FREE, role=Role.ADMIN)

    key, _ = await store.api_keys.create(admin, name="k", capabilities=["*"])

    assert key.capabilities == ("*",)


@pytest.mark.parametrize("name", ["", "x" * 101])
async def test_a_name_has_one_to_a_hundred_characters(
    store: Store, account: Account, name: str
) -> None:
    with pytest.raises(ValueError):
        await store.api_keys.create(account, name=name, capabilities=["workflow:run"])


async def test_a_name_may_be_anything_that_is_text(store: Store, account: Account) -> None:
    name = "Ключ | 鍵 \0 '\""
    key, secret = await store.api_keys.create(
        account, name=name, capabilities=PRESETS["Full deploy"]
    )

    assert (await store.api_keys.authorize(secret)).key.name == name
    assert await store.api_keys.list(account.id) == [key]


async def test_permissions_of_an_account_are_read_each_time(
    store: Store, account: Account, api_key: str
) -> None:
    assert (await store.api_keys.authorize(api_key)).account.approved
    changed = replace(account, approved=False)
    key = keyspace.accounts(partition_of(account.id))
    await store.client.send("HSET", key, account.id, pack_account(changed))

    assert not (await store.api_keys.authorize(api_key)).account.approved


async def test_a_key_whose_account_is_gone_is_unauthorized(
    store: Store, account: Account, api_key: str
) -> None:
    await store.client.send("HDEL", keyspace.accounts(partition_of(account.id)), account.id)

    with pytest.raises(Unauthorized):
        await store.api_keys.authorize(api_key)


async def test_keys_that_may_do_many_things_take_no_more_memory_than_may_be(
    settings: Settings, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.accounts.api_keys.MAX_REMEMBERED_BYTES", 500_000)
    store = Store.open(settings)
    many = [f"workflow:{number:040}:run" for number in range(400)]
    made = [
        (await store.api_keys.create(account, name="k", capabilities=many))[1] for _ in range(20)
    ]

    for secret in made * 2:
        assert (await store.api_keys.authorize(secret)).account == account

    keys = store.api_keys
    assert 0 < keys._parsed.bytes <= 500_000
    assert 0 < keys._assumed.bytes <= 500_000
    assert keys.remembers(made[-1])
    assert not keys.remembers(made[0])
    await store.close()


async def test_a_key_is_known_until_the_very_millisecond_of_its_expiry(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiry = await now_of(store) + 60_000
    _, secret = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run"], expires_at=expiry
    )

    set_clock(store, monkeypatch, "authorize_key", expiry - 1)
    assert await store.api_keys.authorize(secret)
    set_clock(store, monkeypatch, "count_key_call", expiry - 1)
    assert await store.api_keys.authorize_call(secret, "runs")

    set_clock(store, monkeypatch, "authorize_key", expiry)
    with pytest.raises(Unauthorized):
        await store.api_keys.authorize(secret)
    set_clock(store, monkeypatch, "count_key_call", expiry)
    with pytest.raises(Unauthorized):
        await store.api_keys.authorize_call(secret, "runs")


async def test_a_key_is_unknown_from_its_expiry_on_everywhere(
    store: Store, settings: Settings, account: Account
) -> None:
    soon = await now_of(store) + 4_000
    _, secret = await store.api_keys.create(
        account, name="k", capabilities=["workflow:run"], expires_at=soon
    )
    other = Store.open(settings)
    stores = (store, other)
    for each in stores:
        assert await each.api_keys.authorize(secret)
        assert await each.api_keys.authorize_call(secret, "runs")
    speculative = store.api_keys.authorize_speculatively(secret, "runs")
    assert speculative is not None
    await speculative.admitted()

    while await now_of(store) < soon:
        await asyncio.sleep(0.02)

    for each in stores:
        guess = each.api_keys.authorize_speculatively(secret, "runs")
        assert guess is not None
        with pytest.raises(Unauthorized):
            await guess.admitted()
        with pytest.raises(Unauthorized):
            await each.api_keys.authorize(secret)
        with pytest.raises(Unauthorized):
            await each.api_keys.authorize_call(secret, "runs")
        assert each.api_keys.authorize_speculatively(secret, "runs") is None
    await other.close()


async def test_an_expired_key_is_listed_and_can_be_prolonged(
    store: Store, account: Account
) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    await expire(store, key, secret)
    [listed] = await store.api_keys.list(account.id)
    assert listed.expires_at == 1

    renamed = await store.api_keys.change(key.id, owner=account.id, name="old")
    with pytest.raises(Unauthorized):
        await store.api_keys.authorize(secret)
    prolonged = await store.api_keys.change(key.id, owner=account.id, expires_at=None)

    assert renamed == replace(key, name="old", expires_at=1)
    assert (await store.api_keys.authorize(secret)).key == prolonged == replace(key, name="old")


async def test_an_expiry_that_is_over_is_refused(store: Store, account: Account) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    now = await now_of(store)

    with pytest.raises(ValueError, match="over"):
        await store.api_keys.change(key.id, owner=account.id, expires_at=now)
    with pytest.raises(ValueError, match="over"):
        await store.api_keys.create(
            account, name="k", capabilities=["workflow:run"], expires_at=now
        )

    assert await store.api_keys.list(account.id) == [key]


async def test_an_expiry_is_late_from_its_very_millisecond_on(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    expiry = await store.leases.now() + 60_000

    set_clock(store, monkeypatch, "replace_key", expiry)
    with pytest.raises(ValueError, match="over"):
        await store.api_keys.change(key.id, owner=account.id, expires_at=expiry)
    changed = await store.api_keys.change(key.id, owner=account.id, expires_at=expiry + 1)

    assert changed.expires_at == expiry + 1


async def test_concurrent_changes_of_a_key_are_all_made(store: Store, account: Account) -> None:
    key, secret = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    later = await now_of(store) + 60_000

    await asyncio.gather(
        store.api_keys.change(key.id, owner=account.id, name="renamed"),
        store.api_keys.change(key.id, owner=account.id, expires_at=later),
    )

    changed = replace(key, name="renamed", expires_at=later)
    assert (await store.api_keys.authorize(secret)).key == changed


async def test_a_key_that_is_gone_or_anothers_is_not_changed(
    store: Store, account: Account
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
    other = await store.accounts.create(email="b@example.com", tier=Tier.PRO)

    with pytest.raises(NotFound):
        await store.api_keys.change(key.id, owner=other.id, name="theirs")
    await store.api_keys.revoke(key.id)
    with pytest.raises(NotFound):
        await store.api_keys.change(key.id, owner=account.id, name="mine")


async def now_of(store: Store) -> int:
    seconds, micros = await store.client.send("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def expire(store: Store, key: ApiKey, secret: str) -> None:
    """Move the expiry of a key into the past."""
    keys = keyspace.api_keys(partition_of(key.account_id))
    await store.client.send(
        "HSET", keys, tokens.digest(secret), pack_key(replace(key, expires_at=1))
    )
