"""Secrets of webhooks in Redis: sealed under any key."""

from dataclasses import replace

import pytest
import redis

from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import Account, ApiKey, Store
from engine.store.redis import keyspace
from engine.store.webhooks.deliveries import ClaimedDelivery, DeliveryReceiver
from tests.support.eventually import eventually

OWN = "a secret of the owner's own"
URL = "https://hooks.example.com/in"
OTHER = "another-key-" * 4


@pytest.fixture
async def key(store: Store, account: Account) -> ApiKey:
    return (await store.api_keys.create(account, name="k", capabilities=["webhook:receive"]))[0]


async def save(store: Store, key: ApiKey, secret: str = OWN) -> None:
    await store.webhooks.save(key.account_id, key.id, url=URL, secret=secret)


async def claim(store: Store, key: ApiKey) -> ClaimedDelivery:
    webhook = await store.webhooks.get(key.account_id, key.id)
    delivery = await store.deliveries.add_test(key.account_id, key.id, webhook)
    claimed = await store.deliveries.claim(
        keyspace.reference(key.account_id, delivery.id), DeliveryReceiver(owner=key.id, url=URL)
    )
    assert claimed is not None
    return claimed


def kept(redis_url: str, key: ApiKey) -> dict[bytes, bytes]:
    with redis.Redis.from_url(redis_url) as client:
        return client.hgetall(keyspace.webhook(key.account_id, key.id))


async def test_redis_holds_no_plain_secrets(store: Store, key: ApiKey, redis_url: str) -> None:
    await save(store, key)
    await save(store, key, "another secret of the owner's")

    assert b"secret of the owner" not in b"".join(kept(redis_url, key).values())
    assert (await claim(store, key)).secrets == ("another secret of the owner's", OWN)


async def test_the_same_secret_set_again_leaves_none_before(
    store: Store, key: ApiKey, redis_url: str
) -> None:
    await save(store, key)
    await save(store, key)

    assert b"previous_secret" not in kept(redis_url, key)


async def test_with_a_new_key_beside_the_old_one_all_goes_on(
    store: Store, key: ApiKey, settings: Settings
) -> None:
    await save(store, key)
    both = Store.open(replace(settings, secret_key=f"{OTHER},{settings.secret_key}"))

    first = (await claim(both, key)).secrets
    await save(both, key, "another secret of the owner's")
    second = (await claim(both, key)).secrets
    await both.close()

    assert first == (OWN,)
    assert second == ("another secret of the owner's", OWN)


async def test_the_same_secret_set_again_under_a_new_key_leaves_none_before(
    store: Store, key: ApiKey, settings: Settings, redis_url: str
) -> None:
    await save(store, key)
    both = Store.open(replace(settings, secret_key=f"{OTHER},{settings.secret_key}"))
    await save(both, key)
    await both.close()

    assert kept(redis_url, key).keys() & {b"previous_secret", b"previous_secret_until"} == set()


async def test_sealing_anew_does_not_undo_a_secret_set_meanwhile(
    store: Store, key: ApiKey, settings: Settings
) -> None:
    await save(store, key)
    both = Store.open(replace(settings, secret_key=f"{OTHER},{settings.secret_key}"))
    await claim(both, key)  # schedules the sealing
    await save(both, key, "another secret of the owner's")

    claimed = await claim(both, key)
    await both.close()

    assert claimed.secrets == ("another secret of the owner's", OWN)


async def test_a_secret_that_is_used_is_sealed_with_the_new_key(
    store: Store, key: ApiKey, settings: Settings, redis_url: str
) -> None:
    await save(store, key)
    await save(store, key, "another secret of the owner's")
    before = kept(redis_url, key)
    both = Store.open(replace(settings, secret_key=f"{OTHER},{settings.secret_key}"))
    await claim(both, key)

    async def changed() -> bool:
        after = kept(redis_url, key)
        return all(before[name] != after[name] for name in (b"secret", b"previous_secret"))

    await eventually(changed)
    await both.close()
    new = Store.open(replace(settings, secret_key=OTHER))
    claimed = await claim(new, key)
    await new.close()

    assert claimed.secrets == ("another secret of the owner's", OWN)


async def test_with_a_new_key_alone_nothing_is_saved_or_sent(
    store: Store, key: ApiKey, settings: Settings
) -> None:
    await save(store, key)
    both = Store.open(replace(settings, secret_key=f"{OTHER},{settings.secret_key}"))
    await both.ping()
    await both.close()
    other = Store.open(replace(settings, secret_key=OTHER))

    claimed = await claim(other, key)
    with pytest.raises(Unavailable):
        await save(other, key)
    await other.close()

    assert (claimed.secrets, claimed.is_unreadable) == ((), True)


async def test_a_key_is_known_to_be_the_one(store: Store, settings: Settings) -> None:
    fits = {}
    for name in (settings.secret_key, f"{OTHER},{settings.secret_key}", OTHER, settings.secret_key):
        each = Store.open(replace(settings, secret_key=name))
        fits[name] = await each.seals.fit()
        await each.close()

    # The last store has only the old key, which opens nothing sealed with the new one.
    assert fits == {
        f"{OTHER},{settings.secret_key}": True,
        OTHER: True,
        settings.secret_key: False,
    }


async def test_a_full_redis_is_known_by_the_key_as_well(store: Store, settings: Settings) -> None:
    await store.seals.fit()
    await store.client.send("CONFIG", "SET", "maxmemory", 1)
    fits = {}
    for name in (settings.secret_key, f"{OTHER},{settings.secret_key}"):
        each = Store.open(replace(settings, secret_key=name))
        fits[name] = await each.seals.fit()
        await each.close()

    assert fits == {
        settings.secret_key: True,
        f"{OTHER},{settings.secret_key}": True,
    }
