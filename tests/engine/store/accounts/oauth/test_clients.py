import asyncio
from dataclasses import replace

import pytest

from engine.errors import TooManyRegistrations
from engine.store import Store
from engine.store.accounts.oauth import clients, keys
from engine.store.accounts.oauth.clients import HOUR_MS, MOST_PER_HOUR
from tests.support.oauth.grants import CLIENT

pytestmark = pytest.mark.A99c

ADDRESS = "192.0.2.7"


async def register(store: Store, number: int, address: str = ADDRESS) -> None:
    await store.oauth_clients.register(replace(CLIENT, id=f"client-{number}"), address)


async def test_a_registered_client_is_found(store: Store) -> None:
    await store.oauth_clients.register(CLIENT, ADDRESS)

    assert await store.oauth_clients.find(CLIENT.id) == CLIENT
    assert await store.oauth_clients.find("client-2") is None


async def test_an_address_registers_twenty_an_hour_and_no_more(store: Store) -> None:
    calls = [register(store, number) for number in range(3 * MOST_PER_HOUR)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    refused = [each for each in answers if isinstance(each, TooManyRegistrations)]
    assert (MOST_PER_HOUR, len(refused)) == (20, 2 * MOST_PER_HOUR)
    assert all(3_590 <= (each.retry_after_seconds or 0) <= 3_600 for each in refused)
    await register(store, 99, "192.0.2.8")


async def test_an_hour_later_the_address_registers_again(store: Store) -> None:
    for number in range(MOST_PER_HOUR):
        await register(store, number)
    key = keys.registrations(ADDRESS)
    await store.client.send("ZINCRBY", key, -HOUR_MS, "client-0")

    await register(store, 99)

    with pytest.raises(TooManyRegistrations):
        await register(store, 100)


async def test_clients_that_nobody_granted_anything_leave(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_UNGRANTED", 2)
    for number in range(3):
        await register(store, number)

    assert await store.oauth_clients.find("client-0") is None
    assert await store.client.send("HLEN", keys.clients()) == 2


async def test_clients_whose_time_is_over_leave(store: Store) -> None:
    await register(store, 0)
    await store.client.send("ZADD", keys.ungranted(), 1, "client-0")

    await register(store, 1)

    assert await store.client.send("HKEYS", keys.clients()) == [b"client-1"]
