"""The proxy stops at calls, loses them before or after they have run, and knows their process."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import redis

from engine.errors import Unavailable
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from tests.conftest import RedisServer
from tests.support.redis.frames import split_commands, split_replies
from tests.support.redis.proxy import RedisProxy, proxy_thread, running_proxy


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[RedisProxy]:
    async with running_proxy(redis_server.url) as started:
        yield started


@pytest.fixture(autouse=True)
def empty_redis(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.delete("count")


@pytest.fixture
async def client(proxy: RedisProxy) -> AsyncIterator[Client]:
    made = Client(RedisAddress.parse(proxy.url))
    yield made
    await made.close()


async def test_a_call_stops_before_it_is_run(proxy: RedisProxy, client: Client) -> None:
    gate = proxy.hold("INCR")
    waiting = asyncio.ensure_future(client.send("INCR", "count"))

    assert await gate.reached() == os.getpid()
    assert not waiting.done()
    gate.open()

    assert await waiting == 1


async def test_a_call_stops_after_it_has_run(
    proxy: RedisProxy, client: Client, redis_server: RedisServer
) -> None:
    gate = proxy.hold("INCR", after="run", passes=1)
    assert await client.send("INCR", "count") == 1
    waiting = asyncio.ensure_future(client.send("INCR", "count"))
    await gate.reached()
    beside = Client(RedisAddress.parse(redis_server.url))

    assert await beside.send("GET", "count") == b"2"
    assert not waiting.done()
    gate.open()
    assert await waiting == 2
    await beside.close()


@pytest.mark.parametrize(("after", "count"), [("before", None), ("run", b"1")])
async def test_a_call_is_lost(
    proxy: RedisProxy, client: Client, after: str, count: bytes | None
) -> None:
    proxy.lose("INCR", after=after)  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        await client.send("INCR", "count")

    assert await client.send("GET", "count") == count


async def test_scripts_have_their_names(proxy: RedisProxy, client: Client) -> None:
    script = SCRIPTS["list_dead_workers"]
    loss = proxy.lose(script.name, times=3)

    assert isinstance(await client.call(script, **_values(script.name)), list)

    assert loss.left == 0, "the client sends this script again"
    assert script.name in proxy.seen


def _values(name: str) -> dict[str, object]:
    names = SCRIPTS[name].names
    keys = {each.name: each.name for each in names.keys if not each.is_optional}
    return keys | {each.name: 1 for each in names.arguments if each.size == 1}


def test_a_proxy_in_a_thread_serves_tests_that_block(redis_server: RedisServer) -> None:
    async def count(url: str) -> object:
        client = Client(RedisAddress.parse(url))
        try:
            return await client.send("INCR", "count")
        finally:
            await client.close()

    with proxy_thread(redis_server.url) as proxy:
        assert asyncio.run(count(proxy.url)) == 1


def test_a_stream_is_split_wherever_it_was_cut() -> None:
    commands = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n" * 2
    replies = (
        b"$-1\r\n*2\r\n:1\r\n$2\r\n\r\n\r\n>1\r\n+x\r\n%1\r\n+a\r\n,1.5\r\n-ERR no\r\n_\r\n*-1\r\n"
    )

    for cut in range(len(commands)):
        first, rest = split_commands(commands[:cut])
        second, left = split_commands(rest + commands[cut:])
        assert ([words for words, _ in first + second], left) == ([[b"GET", b"a"]] * 2, b"")
    for cut in range(len(replies)):
        begun, rest_of = split_replies(replies[:cut])
        ended, nothing = split_replies(rest_of + replies[cut:])
        assert (b"".join(begun + ended), len(begun + ended), nothing) == (replies, 7, b"")
