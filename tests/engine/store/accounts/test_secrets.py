"""Secrets of accounts at rest."""

import pytest

from engine.access.account_secrets import MAX_SECRETS
from engine.access.capabilities import Tier
from engine.access.sealing import Sealer
from engine.errors import NotFound, QuotaExceeded, Unavailable
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.secrets import AccountSecrets, StoredSecret
from engine.store.redis import keyspace
from tests.support.eventually import eventually

CANARY = "canary of the account"
OPENED, UNREADABLE = StoredSecret(CANARY, ()), StoredSecret(None, ())
NEW = "n" * 32


async def sealed(store: Store, account: Account, name: str = "TOKEN") -> bytes:
    found: bytes = await store.client.send("HGET", keyspace.account_secrets(account.id), name)
    return found


async def test_a_secret_is_opened_by_its_account_alone(store: Store, account: Account) -> None:
    other = await store.accounts.create(email="o@example.org", tier=Tier.PRO)
    await store.secrets.save(account.id, "TOKEN", CANARY)
    await store.secrets.save(other.id, "OTHER", "another")

    assert await store.secrets.open(account.id, {"TOKEN", "OTHER"}) == {"TOKEN": OPENED}
    assert await store.secrets.open(other.id, ["TOKEN"]) == {}
    assert await store.secrets.names(account.id) == {"TOKEN"}


async def test_the_value_lies_sealed_for_its_account_and_name(
    store: Store, account: Account
) -> None:
    for name in ("TOKEN", "COPY"):
        await store.secrets.save(account.id, name, CANARY)

    first, second = [await sealed(store, account, name) for name in ("TOKEN", "COPY")]
    await store.client.send("HSET", keyspace.account_secrets(account.id), "COPY", first)

    assert CANARY.encode() not in first
    assert first != second
    assert await store.secrets.open(account.id, ["COPY"]) == {"COPY": UNREADABLE}


async def test_a_change_keeps_the_time_of_creation(store: Store, account: Account) -> None:
    made = await store.secrets.save(account.id, "TOKEN", CANARY)
    again = await store.secrets.save(account.id, "TOKEN", CANARY)
    key = keyspace.account_secrets(account.id)
    await store.client.send("HSET", key, "TOKEN.created", 5, "TOKEN.updated", 6)

    changed = await store.secrets.save(account.id, "TOKEN", "another value")

    assert made == again
    assert made.created_at == made.updated_at
    assert (changed.created_at, changed.updated_at >= made.updated_at) == (5, True)
    assert await store.secrets.list(account.id) == [changed]


async def test_the_list_is_by_name(store: Store, account: Account) -> None:
    for name in ("B", "A_2", "A"):
        await store.secrets.save(account.id, name, CANARY)

    assert [each.name for each in await store.secrets.list(account.id)] == ["A", "A_2", "B"]


async def test_a_deleted_secret_is_gone(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "TOKEN", CANARY)

    await store.secrets.delete(account.id, "TOKEN")

    assert await store.client.send("EXISTS", keyspace.account_secrets(account.id)) == 0
    for name in ("TOKEN", "token", "TOKEN.created"):
        with pytest.raises(NotFound):
            await store.secrets.delete(account.id, name)


async def test_an_account_has_a_hundred_at_most(store: Store, account: Account) -> None:
    for number in range(MAX_SECRETS):
        await store.secrets.save(account.id, f"S{number}", CANARY)

    with pytest.raises(QuotaExceeded) as caught:
        await store.secrets.save(account.id, "ONE_MORE", CANARY)

    assert caught.value.context == {"quota": "secrets", "used": 100, "limit": 100}
    await store.secrets.save(account.id, "S5", "another value")
    await store.secrets.delete(account.id, "S7")
    await store.secrets.save(account.id, "ONE_MORE", CANARY)


async def test_a_new_key_of_the_installation_seals_secrets_anew(
    store: Store, account: Account, settings: Settings
) -> None:
    both = AccountSecrets(
        store.client, Sealer.from_secret_key(f"{NEW},{settings.secret_key}"), store.audit
    )
    after = AccountSecrets(store.client, Sealer.from_secret_key(NEW), store.audit)
    for name in ("LISTED", "USED"):
        await store.secrets.save(account.id, name, CANARY)

    assert await after.open(account.id, ["USED"]) == {"USED": UNREADABLE}
    assert await both.open(account.id, ["USED"]) == {"USED": OPENED}
    await eventually(lambda: after.open(account.id, ["USED"]), {"USED": OPENED}.__eq__)
    await both.list(account.id)
    everything = {"LISTED": OPENED, "USED": OPENED}
    await eventually(lambda: after.open(account.id, list(everything)), everything.__eq__)


async def test_a_process_with_another_key_saves_nothing(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "TOKEN", CANARY)
    other = AccountSecrets(store.client, Sealer.from_secret_key(NEW), store.audit)

    with pytest.raises(Unavailable):
        await other.save(account.id, "TOKEN", "another value")

    assert await store.secrets.open(account.id, ["TOKEN"]) == {"TOKEN": OPENED}


async def test_hosts_stay_until_others_are_set(store: Store, account: Account) -> None:
    hosts = ("api.example.com", "*.shop.example")

    first = await store.secrets.save(account.id, "TOKEN", CANARY, hosts=hosts)
    kept = await store.secrets.save(account.id, "TOKEN", "another value")
    [listed] = await store.secrets.list(account.id)
    opened = await store.secrets.open(account.id, ["TOKEN"])
    removed = await store.secrets.save(account.id, "TOKEN", "another value", hosts=())

    assert first.hosts == kept.hosts == listed.hosts == hosts
    assert opened == {"TOKEN": StoredSecret("another value", hosts)}
    assert removed.hosts == ()
    assert await store.secrets.open(account.id, ["TOKEN"]) == {
        "TOKEN": StoredSecret("another value", ())
    }


async def test_other_hosts_for_the_same_value_are_a_change(store: Store, account: Account) -> None:
    first = await store.secrets.save(account.id, "TOKEN", CANARY, hosts=["a.example"])
    again = await store.secrets.save(account.id, "TOKEN", CANARY, hosts=["a.example"])
    other = await store.secrets.save(account.id, "TOKEN", CANARY, hosts=["b.example"])

    assert again == first
    assert other.hosts == ("b.example",)


async def test_hosts_of_secrets_are_found_by_name(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "ONE", CANARY, hosts=["a.example"])
    await store.secrets.save(account.id, "ANY", CANARY)

    found = await store.secrets.hosts(account.id, {"ONE", "ANY", "NONE"})

    assert found == {"ONE": ("a.example",), "ANY": (), "NONE": None}
    assert await store.secrets.names(account.id) == {"ONE", "ANY"}


async def test_hosts_take_no_place_of_secrets(store: Store, account: Account) -> None:
    for number in range(MAX_SECRETS):
        await store.secrets.save(account.id, f"S{number}", CANARY, hosts=["a.example"])

    with pytest.raises(QuotaExceeded) as caught:
        await store.secrets.save(account.id, "ONE_MORE", CANARY)

    assert caught.value.context == {"quota": "secrets", "used": 100, "limit": 100}


async def test_hosts_go_with_their_secret(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "TOKEN", CANARY, hosts=["a.example"])

    await store.secrets.delete(account.id, "TOKEN")

    assert await store.client.send("EXISTS", keyspace.account_secrets(account.id)) == 0
