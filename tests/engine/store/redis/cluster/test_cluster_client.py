"""The client of a cluster, on real primaries."""

import asyncio
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.store.redis import keyspace
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster import cluster_client as module
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.routes import slot_of
from engine.store.redis.scripts import SCRIPTS
from tests.conftest import free_port
from tests.support.eventually import eventually
from tests.support.redis.cluster import RedisCluster

PARTITIONS = range(16)


def partition_at(cluster: RedisCluster, shard: int) -> int:
    """Return a partition that the shard holds."""
    return next(
        each for each in PARTITIONS if cluster.shard_of(slot_of(keyspace.accounts(each))) == shard
    )


def away_from(cluster: RedisCluster, partition: int) -> tuple[int, int, int]:
    """Return the slot of a partition, the shard that has it, and another one."""
    slot = slot_of(keyspace.accounts(partition))
    shard = cluster.shard_of(slot)
    return slot, shard, (shard + 1) % 3


async def test_commands_go_to_the_primaries_of_their_keys(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    keys = [keyspace.accounts(each) for each in PARTITIONS]
    before = sum(moved_errors(primaries, shard) for shard in range(3))

    await asyncio.gather(*(client.send("HSET", key, "a", key) for key in keys))

    assert await asyncio.gather(*(client.send("HGET", key, "a") for key in keys)) == [
        key.encode() for key in keys
    ]
    with primaries.client() as library:
        assert [library.hget(key, "a") for key in keys] == [key.encode() for key in keys]
    assert sum(moved_errors(primaries, shard) for shard in range(3)) == before


async def test_a_script_runs_at_the_primary_of_its_keys(client: ClusterClient) -> None:
    for partition in PARTITIONS:
        assert await promote(client, partition) == []
    assert client.reloads == 0  # each new connection loads all scripts


async def test_a_script_whose_connection_ends_is_sent_again(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    api_keys, accounts = (
        make(partition_at(primaries, 0)) for make in (keyspace.api_keys, keyspace.accounts)
    )
    await client.send("PING")
    with primaries.primary(0).client() as library:
        library.client_pause(20_000, all=False)
        call = client.call(
            SCRIPTS["create_key"],
            account_api_keys=accounts,
            api_keys=api_keys,
            audit=f"{accounts}:audit",
            api_key="key_1",
            digest="digest",
            record=b"record",
            act=("",) * 6,
        )
        waiting = asyncio.ensure_future(call)
        await eventually(lambda: _is_held(library))
        library.client_kill_filter(_type="normal", skipme=True)

        library.client_unpause()
        assert await waiting == 1


async def _is_held(library: Any) -> bool:
    """Return whether a client waits until the end of a pause."""
    return any("b" in each["flags"] for each in library.client_list())


async def test_a_missing_name_of_a_script_raises(client: ClusterClient) -> None:
    script = SCRIPTS["promote_due"]
    with pytest.raises(TypeError, match="lacks"):
        client.call(script, due=keyspace.due(1))


async def test_a_command_without_a_route_raises_at_once(client: ClusterClient) -> None:
    with pytest.raises(ValueError, match="no route"):
        client.send("RENAME", "hr:a", "hr:b")
    with pytest.raises(ValueError, match="no route"):
        client.post("RENAME", "hr:a", "hr:b")


async def test_keys_of_two_slots_are_refused(client: ClusterClient) -> None:
    with pytest.raises(Unavailable) as caught:
        await client.send("UNLINK", keyspace.due(1), keyspace.due(2))

    assert caught.value.word == "CROSSSLOT"


async def test_all_primaries_are_asked(client: ClusterClient, primaries: RedisCluster) -> None:
    replies = await client.send_to_all("INFO", "server")

    ports = {each.port for each in primaries.servers}
    assert {int(reply.partition(b"tcp_port:")[2].split()[0]) for reply in replies} == ports


async def test_a_message_reaches_the_subscribers_of_every_node(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    subscribers = [each.client().pubsub() for each in primaries.servers]
    for each in subscribers:
        each.subscribe("hr:told")
        assert each.get_message(timeout=5)["type"] == "subscribe"

    await client.send("PUBLISH", "hr:told", "a")

    for each in subscribers:
        assert each.get_message(timeout=5)["data"] == b"a"
        each.close()


async def test_a_slot_that_has_moved_is_followed_without_a_failure(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    key = keyspace.accounts(3)
    slot, source, target = away_from(primaries, 3)
    await client.send("HSET", key, "a", "1")
    primaries.move_slot(slot, target, seconds=0)
    refused = moved_errors(primaries, source)

    assert await asyncio.gather(*(client.send("HGET", key, "a") for _ in range(20))) == [b"1"] * 20
    assert 0 < moved_errors(primaries, source) - refused <= 20

    async def is_known() -> bool:
        refused = moved_errors(primaries, source)
        assert await client.send("HGET", key, "a") == b"1"
        return moved_errors(primaries, source) == refused

    await eventually(is_known)


async def test_keys_that_are_being_moved_are_found_on_both_sides(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    slot, source, target = away_from(primaries, 4)
    keys = [keyspace.session(4, str(number)) for number in range(40)]
    await asyncio.gather(*(client.send("SET", key, key) for key in keys))

    move = primaries.begin_move(slot, target)
    move.move_keys(share=0.5)
    found = await asyncio.gather(*(client.send("GET", key) for key in keys))
    new = keyspace.session(4, "new")
    assert await client.send("SET", new, "n") == b"OK"  # it is made at the target

    assert found == [key.encode() for key in keys]
    assert client.topology.primary_of(slot) == RedisNode(
        host="127.0.0.1", port=primaries.primary(source).port
    )
    move.move_keys()
    move.finish()
    assert await client.send("GET", new) == b"n"


async def test_keys_on_both_sides_are_waited_for(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    slot, _, target = away_from(primaries, 5)
    keys = [keyspace.session(5, str(number)) for number in range(10)]
    await asyncio.gather(*(client.send("SET", key, key) for key in keys))
    move = primaries.begin_move(slot, target)
    move.move_keys(share=0.5)

    reply = client.send("UNLINK", *keys)
    await asyncio.sleep(0.1)
    assert not reply.done()
    move.move_keys()
    move.finish()

    assert await reply == len(keys)


async def test_keys_that_are_on_neither_side_are_waited_for_as_well(
    client: ClusterClient, primaries: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE_SECONDS", 0.02)
    slot, _, target = away_from(primaries, 9)
    move = primaries.begin_move(slot, target)

    reply = client.send("UNLINK", keyspace.session(9, "a"), keyspace.session(9, "b"))
    await asyncio.sleep(0.5)  # the owner names the target, which asks to try again, 20 times
    assert not reply.done()
    move.finish()

    assert await reply == 0


async def test_a_move_that_does_not_end_is_unavailable(
    client: ClusterClient, primaries: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.2)
    slot, _, target = away_from(primaries, 6)
    keys = [keyspace.session(6, str(number)) for number in range(10)]
    await asyncio.gather(*(client.send("SET", key, key) for key in keys))
    move = primaries.begin_move(slot, target)
    move.move_keys(share=0.5)

    with pytest.raises(Unavailable) as caught:
        await client.send("UNLINK", *keys)

    assert caught.value.word == "TRYAGAIN"
    move.move_keys()
    move.finish()


async def test_a_script_is_loaded_by_its_text_where_it_is_unknown(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    slot, _, target = away_from(primaries, 7)
    await client.send_to_all("PING")
    primaries.move_slot(slot, target, seconds=0)
    for each in primaries.servers:
        each.command("SCRIPT", "FLUSH")

    assert await promote(client, 7) == []
    assert client.reloads == 1


async def test_a_script_is_run_once_at_the_target_of_a_move(
    client: ClusterClient, primaries: RedisCluster
) -> None:
    slot, _, target = away_from(primaries, 8)
    await client.send_to_all("PING")
    move = primaries.begin_move(slot, target)
    for each in primaries.servers:
        each.command("SCRIPT", "FLUSH")

    assert await promote(client, 8) == []
    assert client.reloads == 1
    move.finish()


async def test_a_client_without_any_node_is_unavailable() -> None:
    client = ClusterClient(RedisAddress.parse(f"redis+cluster://127.0.0.1:{free_port()}"))

    replies = [client.send("GET", "hr:a"), client.send("TIME")]

    for reply in replies:
        with pytest.raises(Unavailable):
            await reply
    with pytest.raises(Unavailable):
        await client.send_to_all("INFO")
    await client.close()


async def test_commands_end_with_their_client(primaries: RedisCluster) -> None:
    client = ClusterClient(RedisAddress.parse(primaries.address()))
    queued = client.send("GET", "hr:a")

    await client.close()

    with pytest.raises(Unavailable):
        await queued
    with pytest.raises(Unavailable):
        await client.send("GET", "hr:a")


async def promote(client: ClusterClient, partition: int) -> Any:
    """Run a script with one key, and return what is due."""
    _, due = await client.call(
        SCRIPTS["promote_due"], due=keyspace.due(partition), now=1, most=5, repeat_ms=1_000
    )
    return due


def moved_errors(cluster: RedisCluster, shard: int) -> int:
    """Return the number of redirections that the primary of a shard has given."""
    found = cluster.primary(shard).info("errorstats").get("errorstat_MOVED", {"count": 0})
    return int(found["count"])
