"""Marks of an installation in a cluster: an emptied primary is refused, a moved slot is not."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from engine.access.sealing import Sealer
from engine.errors import WrongStore
from engine.store.redis import installation, keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster import guard as module
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.cluster.guard import ClusterGuard
from engine.store.redis.cluster.routes import slot_of
from tests.support.eventually import eventually
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY, mark_cluster

PARTITIONS = range(16)
OURS = Sealer.from_secret_key(SECRET_KEY)


@pytest.fixture(autouse=True)
def checks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)


@pytest.fixture
def address(primaries: RedisCluster) -> Iterator[RedisAddress]:
    yield RedisAddress.parse(primaries.address())
    with primaries.client() as library:
        mark_cluster(library)


@pytest.fixture
async def guarded(address: RedisAddress) -> AsyncIterator[ClusterClient]:
    client = ClusterClient(address, ClusterGuard(address, OURS))
    yield client
    await client.close()


def shard_of(cluster: RedisCluster, partition: int) -> int:
    return cluster.shard_of(slot_of(keyspace.accounts(partition)))


async def read_all(client: ClusterClient) -> list[object]:
    """Read a key of each partition; return what came, errors included."""
    keys = [keyspace.accounts(each) for each in PARTITIONS]
    replies = (client.send("HGET", key, "a") for key in keys)
    found: list[object] = await asyncio.gather(*replies, return_exceptions=True)
    return found


async def read_all_anew(address: RedisAddress) -> list[object]:
    """Read a key of each partition over new connections."""
    client = ClusterClient(address, ClusterGuard(address, OURS))
    try:
        return await read_all(client)
    finally:
        await client.close()


async def refused(client: ClusterClient) -> set[int]:
    """Return the partitions whose primary is refused."""
    replies = zip(PARTITIONS, await read_all(client), strict=True)
    return {each for each, reply in replies if isinstance(reply, WrongStore)}


async def test_a_marked_cluster_is_permitted(guarded: ClusterClient) -> None:
    assert await read_all(guarded) == [None] * 16


async def test_an_emptied_primary_is_refused_and_the_others_go_on(
    guarded: ClusterClient, primaries: RedisCluster
) -> None:
    await read_all(guarded)
    lost = {each for each in PARTITIONS if shard_of(primaries, each) == 2}

    primaries.primary(2).command("FLUSHALL")

    await eventually(lambda: refused(guarded), lost.__eq__)
    with pytest.raises(WrongStore) as refusal:
        await guarded.send("HGET", keyspace.accounts(min(lost)), "a")
    assert "lacks this installation's data of partition" in refusal.value.seen
    with primaries.client() as library:
        mark_cluster(library)
    await eventually(lambda: refused(guarded), set().__eq__)


async def test_a_new_process_refuses_an_emptied_primary(
    address: RedisAddress, primaries: RedisCluster
) -> None:
    primaries.primary(0).command("FLUSHALL")
    client = ClusterClient(address, ClusterGuard(address, OURS))

    assert await refused(client) == {each for each in PARTITIONS if shard_of(primaries, each) == 0}
    await client.close()


async def test_a_slot_that_moves_is_not_taken_for_an_emptied_one(
    guarded: ClusterClient, primaries: RedisCluster, address: RedisAddress
) -> None:
    await read_all(guarded)
    seen: set[int] = set()
    for shard in range(3):
        # A new connection to the primary looks at this partition first.
        partition = min(each for each in PARTITIONS if shard_of(primaries, each) == shard)
        move = primaries.begin_move(slot_of(keyspace.accounts(partition)), (shard + 1) % 3)
        move.move_keys()
        for _ in range(5):  # each primary is checked meanwhile
            seen |= await refused(guarded)
            await asyncio.sleep(0.05)
        assert await read_all_anew(address) == [None] * 16
        move.finish()
        for _ in range(5):
            seen |= await refused(guarded)
            await asyncio.sleep(0.05)

    assert seen == set()
    assert await read_all_anew(address) == [None] * 16


async def test_the_marker_is_checked_where_it_has_moved_to(
    guarded: ClusterClient, primaries: RedisCluster
) -> None:
    await read_all(guarded)
    slot = slot_of(keyspace.installation())
    primaries.move_slot(slot, (primaries.shard_of(slot) + 1) % 3, seconds=0)
    await asyncio.sleep(0.2)  # checks meet the old primary

    with primaries.client() as library:
        library.hset(keyspace.installation(), "ids", "0" * 32)

    await eventually(lambda: refused(guarded), set(PARTITIONS).__eq__)


async def test_another_installation_is_refused_by_all_primaries(
    guarded: ClusterClient, primaries: RedisCluster
) -> None:
    await read_all(guarded)
    await asyncio.sleep(0.5)  # over several checks: each one is followed by another

    with primaries.client() as library:
        library.hset(keyspace.installation(), "ids", "0" * 32)

    await eventually(lambda: refused(guarded), set(PARTITIONS).__eq__)
    with primaries.client() as library:
        mark_cluster(library)
    await eventually(lambda: refused(guarded), set().__eq__)
