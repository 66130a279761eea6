"""Secrets of the store, as nodes get them."""

from dataclasses import replace

import pytest

from engine.access.sealing import Sealer
from engine.errors.nodes import NodeFailed
from engine.settings import Settings
from engine.store import Account, AccountSecrets, Store
from workers.nodes.secrets import StoredSecrets

pytestmark = pytest.mark.A64


async def failure_of(secrets: AccountSecrets, account: Account, *names: str) -> NodeFailed:
    with pytest.raises(NodeFailed) as caught:
        await StoredSecrets(secrets).open(account.id, names)
    return caught.value


async def test_secrets_are_opened_by_name(store: Store, account: Account) -> None:
    for name in ("A", "B", "C"):
        await store.secrets.save(account.id, name, f"value of {name}")

    opened = await StoredSecrets(store.secrets).open(account.id, {"A", "C"})

    assert opened.values == {"A": "value of A", "C": "value of C"}


async def test_a_deleted_secret_is_missing(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "A", "value")

    failure = await failure_of(store.secrets, account, "A", "B")

    assert (failure.code, failure.message) == ("secret_missing", "There is no secret 'B' any more")
    assert not failure.retryable


async def test_a_secret_under_a_lost_key_is_missing_too(store: Store, account: Account) -> None:
    await store.secrets.save(account.id, "A", "value")
    other = AccountSecrets(store.client, Sealer.from_secret_key("k" * 40), store.audit)

    failure = await failure_of(other, account, "A")

    assert (failure.code, "set it again" in failure.message) == ("secret_missing", True)


async def test_without_redis_another_attempt_may_succeed(
    account: Account, settings: Settings
) -> None:
    away = Store.open(replace(settings, redis_url="redis://127.0.0.1:1"))

    failure = await failure_of(away.secrets, account, "A")

    assert (failure.code, failure.retryable) == ("storage_error", True)
    await away.close()


async def test_an_opening_is_one_read_whatever_the_number_of_secrets(
    store: Store, account: Account
) -> None:
    names = [f"S{number}" for number in range(20)]
    for name in names:
        await store.secrets.save(account.id, name, f"value of {name}")
    await store.client.send("CONFIG", "RESETSTAT")

    await StoredSecrets(store.secrets).open(account.id, names)

    found: bytes = await store.client.send("INFO", "commandstats")
    commands = {line.split(":")[0] for line in found.decode().split() if "calls=" in line}
    assert commands - {"cmdstat_config|resetstat", "cmdstat_info"} == {"cmdstat_hmget"}
    assert "cmdstat_hmget:calls=1," in found.decode()
