import asyncio

import pytest

from engine.errors import TooManyGrantRequests
from engine.ids import tokens
from engine.store import Store
from engine.store.accounts.oauth import grant_requests, keys
from engine.store.accounts.oauth.grant_requests import MOST_PER_ADDRESS, REQUEST_MS
from engine.store.redis.info import read_now
from tests.support.oauth.grants import CLIENT, REQUEST

ADDRESS = "192.0.2.7"


async def test_a_request_is_found_for_ten_minutes(store: Store) -> None:
    token = await store.grant_requests.open(REQUEST, ADDRESS)

    found = await store.grant_requests.find(token)
    now = await read_now(store.client)
    await store.client.send("ZADD", keys.requests_by_end(), now - 1, tokens.digest(token))

    assert found is not None
    assert found[0] == REQUEST
    assert 0 <= now + REQUEST_MS - found[1] < 5_000
    assert await store.grant_requests.find(token) is None
    assert await store.grant_requests.answer(token, granted_to=None) is None


async def test_a_request_is_at_rest_as_a_digest(store: Store) -> None:
    token = await store.grant_requests.open(REQUEST, ADDRESS)

    names = await store.client.send("HKEYS", keys.requests())

    assert names == [tokens.digest(token).encode()]


@pytest.mark.parametrize("token", ["", "hr_grant_", "hr_grant_" + "A" * 43 + "_" + "A" * 6])
async def test_an_unknown_token_finds_nothing(store: Store, token: str) -> None:
    await store.grant_requests.open(REQUEST, ADDRESS)

    assert await store.grant_requests.find(token) is None
    assert await store.grant_requests.answer(token, granted_to=None) is None


async def test_one_of_twenty_answers_at_once_counts(store: Store) -> None:
    await store.oauth_clients.register(CLIENT, ADDRESS)
    token = await store.grant_requests.open(REQUEST, ADDRESS)

    answers = await asyncio.gather(
        *(store.grant_requests.answer(token, granted_to=CLIENT.id) for _ in range(20))
    )

    assert [each for each in answers if each is not None] == [REQUEST]
    assert await store.grant_requests.find(token) is None


async def test_a_client_is_kept_longer_once_it_is_granted_something(store: Store) -> None:
    await store.oauth_clients.register(CLIENT, ADDRESS)
    refused = await store.grant_requests.open(REQUEST, ADDRESS)
    granted = await store.grant_requests.open(REQUEST, ADDRESS)

    await store.grant_requests.answer(refused, granted_to=None)
    before = await store.client.send("ZCARD", keys.ungranted())
    await store.grant_requests.answer(granted, granted_to=CLIENT.id)

    assert before == 1
    assert await store.client.send("ZCARD", keys.ungranted()) == 0
    assert await store.client.send("ZRANGE", keys.granted(), 0, -1) == [CLIENT.id.encode()]
    assert await store.oauth_clients.find(CLIENT.id) == CLIENT


async def test_an_address_has_sixty_requests_in_ten_minutes(store: Store) -> None:
    for _ in range(MOST_PER_ADDRESS):
        await store.grant_requests.open(REQUEST, ADDRESS)

    with pytest.raises(TooManyGrantRequests) as refused:
        await store.grant_requests.open(REQUEST, ADDRESS)

    assert 0 < (refused.value.retry_after_seconds or 0) <= REQUEST_MS // 1_000
    await store.grant_requests.open(REQUEST, "192.0.2.8")


async def test_the_oldest_of_too_many_requests_go(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grant_requests, "MOST_REQUESTS", 2)
    found = [await store.grant_requests.open(REQUEST, ADDRESS) for _ in range(3)]

    assert await store.client.send("HLEN", keys.requests()) == 2
    assert await store.grant_requests.find(found[2]) is not None


async def test_requests_leave_by_themselves_and_clients_stay(store: Store) -> None:
    await store.oauth_clients.register(CLIENT, ADDRESS)
    await store.grant_requests.open(REQUEST, ADDRESS)

    for key in (keys.requests(), keys.requests_by_end(), keys.openings(ADDRESS)):
        assert 0 < await store.client.send("PTTL", key) <= REQUEST_MS
    assert await store.client.send("PTTL", keys.clients()) == -1
