"""Connections that follow sentinels to a new primary without a restart."""

import asyncio

import pytest

from engine.errors import Unavailable
from engine.store.redis import connection as connections
from engine.store.redis import sentinels, subscription
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.blocking_client import BlockingClient
from engine.store.redis.client import Client
from engine.store.redis.connection import connect
from engine.store.redis.heartbeat import Heartbeat
from engine.store.redis.sentinels import NoPrimary
from engine.store.redis.subscription import Subscription
from tests.conftest import free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.redis.fronts import DelayProxy
from tests.support.redis.processes import HOST, ServerProcess
from tests.support.redis.sentinel import SentinelGroup, failover, running_group

NEVER = 1_000.0
NEVER_MS = 1_000_000


async def set_key(client: Client, value: int) -> bool:
    try:
        reply = await asyncio.wait_for(client.send("SET", "key", value), PATIENCE_SECONDS)
        return bool(reply == b"OK")
    except Unavailable:
        return False


def value_at(server: ServerProcess) -> int:
    return int(server.command("GET", "key") or 0)


async def test_a_client_goes_on_at_the_new_primary_and_stays_there(
    group: SentinelGroup, address: RedisAddress
) -> None:
    client = Client(address)
    await client.send("SET", "key", 1)

    async with failover(group) as (_, new):
        assert await eventually(lambda: set_key(client, 2))
        assert value_at(new) == 2

    assert await set_key(client, 3), "the old primary has come back as a replica"
    assert value_at(new) == 3
    await client.close()


async def test_a_client_that_is_cut_off_with_an_old_primary_leaves_it(
    group: SentinelGroup, address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENCE_SECONDS", NEVER)
    monkeypatch.setattr(sentinels, "LOOK_SECONDS", 0.1)
    client = Client(address)
    await client.send("SET", "key", 4)

    async with failover(group, pauses=True) as (_, new):
        assert await eventually(lambda: set_key(client, 5))

        assert value_at(new) == 5
    await client.close()


@pytest.mark.thorough
async def test_a_dial_that_hangs_ends_when_another_primary_is_named(
    group: SentinelGroup, address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS", NEVER)
    monkeypatch.setattr(connections, "SENTINEL_CONNECT_SECONDS", NEVER)
    monkeypatch.setattr(connections, "SILENCE_SECONDS", NEVER)
    (old := group.primary()).pause()
    dialing = asyncio.create_task(connect(address))
    try:
        await asyncio.to_thread(group.await_failover, old)

        connection = await asyncio.wait_for(dialing, PATIENCE_SECONDS)

        assert await connection.request("CONFIG", "GET", "port") != {b"port": b"%d" % old.port}
        connection.abort()
    finally:
        dialing.cancel()
        old.resume()
        await asyncio.to_thread(group.await_replicas)


@pytest.mark.parametrize("pauses", [True, pytest.param(False, marks=pytest.mark.thorough)])
async def test_a_subscription_hears_the_new_primary(
    pauses: bool, group: SentinelGroup, address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENCE_SECONDS", NEVER)
    monkeypatch.setattr(subscription, "LOOK_SECONDS", NEVER)
    monkeypatch.setattr(sentinels, "LOOK_SECONDS", 0.1)
    heard = list[bytes]()

    async with (
        Subscription(address, "channel").running(heard.append),
        failover(group, pauses=pauses) as (_, new),
    ):

        async def hears() -> bool:
            await asyncio.to_thread(new.command, "PUBLISH", "channel", "message")
            return bool(heard)

        assert await eventually(hears)


async def test_a_heartbeat_is_on_record_at_the_new_primary(
    group: SentinelGroup, address: RedisAddress
) -> None:
    heartbeat = Heartbeat(address, "w1", 0.6)
    heartbeat.start()
    try:
        async with failover(group) as (_, new):
            await asyncio.to_thread(new.command, "DEL", "hr:workers")

            async def is_listed() -> bool:
                found = await asyncio.to_thread(new.command, "ZSCORE", "hr:workers", "w1")
                return found is not None

            assert await eventually(is_listed)
    finally:
        await asyncio.to_thread(heartbeat.stop)


async def test_sentinels_that_are_away_do_not_matter_while_another_answers(
    group: SentinelGroup, address: RedisAddress
) -> None:
    nobody = tuple(RedisNode(host="127.0.0.1", port=free_port()) for _ in range(2))
    mixed = RedisAddress(
        topology=address.topology, nodes=(*nobody, address.nodes[0]), service=address.service
    )

    connection = await connect(mixed)
    client = BlockingClient(mixed, reply_seconds=5)

    assert await connection.request("ECHO", "here") == b"here"
    assert client.execute("ECHO", "here") == b"here"
    connection.abort()
    client.close()


@pytest.mark.thorough
async def test_the_newest_of_different_primaries_counts(
    group: SentinelGroup, address: RedisAddress
) -> None:
    async with failover(group):
        pass
    newest = group.primary()
    fresh = DelayProxy(address.nodes[0].port, delay=0.05)  # the last to answer
    with running_group(1, 1) as other:  # a sentinel that no failover has been told to
        nodes = (*RedisAddress.parse(other.address()).nodes, RedisNode(host=HOST, port=fresh.port))
        mixed = RedisAddress(topology=address.topology, nodes=nodes, service=address.service)
        connection = await connect(mixed)
        client = BlockingClient(mixed, reply_seconds=5)

        for found in (
            await connection.request("CONFIG", "GET", "port"),
            client.execute("CONFIG", "GET", "port"),
        ):
            assert str(newest.port) in str(found)
        connection.abort()
        client.close()
    fresh.close()


async def test_a_killed_primary_that_is_back_before_the_failover_is_over_is_left_alone() -> None:
    """The sentinel that leads the failover sees it up, and has a new epoch."""
    with running_group(2, 1, failover_timeout_ms=NEVER_MS, fronts=DelayProxy) as group:
        for each in group.servers:
            group.front(each).replication_delay = NEVER  # the failover waits for the other replica
        old = group.kill_primary()
        new = await asyncio.to_thread(group.await_failover, old)
        old.start()
        await eventually(lambda: asyncio.to_thread(group.sees_up, old))
        address = RedisAddress.parse(group.address())
        connection, client = await connect(address), BlockingClient(address, reply_seconds=5)

        for found in (
            await connection.request("CONFIG", "GET", "port"),
            await asyncio.to_thread(client.execute, "CONFIG", "GET", "port"),
        ):
            assert str(new.port) in str(found)
        connection.abort()
        client.close()


async def test_without_a_primary_the_reason_of_each_sentinel_is_given(
    address: RedisAddress,
) -> None:
    port = free_port()
    unknown = RedisAddress(
        topology=address.topology,
        nodes=(address.nodes[0], RedisNode(host="127.0.0.1", port=port)),
        service="another",
    )

    with pytest.raises(NoPrimary) as caught:
        await connect(unknown)

    text = str(caught.value)
    assert "No sentinel names a primary of another" in text
    assert f"{address.nodes[0]} does not know the service" in text
    assert f"127.0.0.1:{port} does not answer" in text
