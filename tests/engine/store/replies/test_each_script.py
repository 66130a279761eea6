"""Each script of engine/lua leaves the same state although its reply is lost or it never arrives.

The cases come from the list of scripts: a new one without a scenario fails here under its name.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from tests.support.redis.proxy import RedisProxy, When, running_proxy
from tests.support.replies.repeated_scripts import COUNTED_AGAIN
from tests.support.store.redis_contents import contents
from tests.support.store.script_scenarios import SCENARIOS


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[RedisProxy]:
    async with running_proxy(redis_url) as started:
        yield started


@pytest.fixture
async def far(proxy: RedisProxy) -> AsyncIterator[Client]:
    """Return a client behind the proxy."""
    client = Client(RedisAddress.parse(proxy.url))
    yield client
    await client.close()


async def prepare(client: Client, name: str) -> None:
    """Leave nothing but the seed of a script's scenario."""
    kept = keyspace.installation().encode()
    if keys := [key for key in await client.send("KEYS", "*") if key != kept]:
        await client.send("DEL", *keys)
    for command in SCENARIOS[name].seed:
        await client.send(*command)


async def state(client: Client) -> dict[bytes, Any]:
    """Return the content of all keys; entries of streams without their ids, which Redis makes."""
    return {
        key: (kind, [fields for _, fields in value], expires) if kind == b"stream" else found
        for key, found in (await contents(client)).items()
        for kind, value, expires in [found]
    }


async def call_until_answered(client: Client, name: str) -> tuple[Any, int]:
    """Return the first answer, and the number of calls before it that had none."""
    unanswered = 0
    while True:
        try:
            return await SCENARIOS[name].call(client, name), unanswered
        except Unavailable:
            unanswered += 1


async def check(
    store: Store, proxy: RedisProxy, far: Client, name: str, when: When, times: int
) -> None:
    """Compare a call that its caller repeats with the calls that Redis has run, without a fault."""
    await prepare(store.client, name)
    run = times if when == "run" else 0
    calls = 1 + (run if name in COUNTED_AGAIN else 0)
    answers = [await SCENARIOS[name].call(store.client, name) for _ in range(calls)]
    clean = await state(store.client)
    again = SCENARIOS[name].again
    await prepare(store.client, name)
    loss = proxy.lose(name, after=when, times=times)

    answer, unanswered = await call_until_answered(far, name)

    is_sent_again = SCRIPTS[name].is_sent_again
    assert (loss.left, unanswered) == (0, 0 if is_sent_again else times)
    assert await state(store.client) == clean
    assert answer == (again if run and again is not None else answers[-1])


@pytest.mark.F24b
@pytest.mark.parametrize("name", sorted(SCRIPTS))
async def test_a_lost_reply_changes_nothing_when_the_call_is_repeated(
    name: str, store: Store, proxy: RedisProxy, far: Client
) -> None:
    for times in (1, 3):
        await check(store, proxy, far, name, "run", times)


@pytest.mark.F24c
@pytest.mark.parametrize("name", sorted(SCRIPTS))
async def test_a_call_whose_connection_ends_before_it_arrives_has_its_effect_once(
    name: str, store: Store, proxy: RedisProxy, far: Client
) -> None:
    await check(store, proxy, far, name, "before", 1)


@pytest.mark.F24b
@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_is_sent_again_if_its_second_call_changes_nothing_and_has_the_first_answer(
    name: str,
) -> None:
    is_repeatable = SCENARIOS[name].again is None and name not in COUNTED_AGAIN

    assert SCRIPTS[name].is_sent_again is is_repeatable


def test_scripts_that_count_each_call_are_scripts() -> None:
    assert set(COUNTED_AGAIN) <= set(SCRIPTS)
