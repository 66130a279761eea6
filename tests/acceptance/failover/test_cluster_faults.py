"""Faults of a cluster under load: slots that move, shards that are down, primaries that pause."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.crc import key_slot

from engine.store.redis import keyspace
from tests.support.failover.trial import Scene, scene_on
from tests.support.redis.cluster import RedisCluster, running_cluster

DOWN_SECONDS = 4.0
MOVES = 20
MOVE_SECONDS = 0.5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def assert_nothing_is_lost(scene: Scene) -> None:
    verdict = scene.outcome.verdict
    assert verdict.wrong == []
    assert verdict.unexplained(scene.outcome.kills, 0) == []
    assert verdict.doubled == 0
    assert scene.outcome.unexpected() == set()


@pytest.mark.F58
async def test_slots_move_under_load(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Slots of accounts under load move from primary to primary, and back."""
    with running_cluster() as cluster:
        async with scene_on(cluster, tmp_path) as scene:
            moved = 0
            for number in range(MOVES):
                spender = scene.load.spenders[number % len(scene.load.spenders)]
                slot = key_slot(keyspace.wallet(spender.account.id).encode())
                moved += await move_on(cluster, slot)
            await scene.await_service(time.monotonic(), 0)

    assert moved > 100
    assert_nothing_is_lost(scene)
    assert scene.outcome.verdict.lost == []
    record_property("slot_moves", MOVES)
    record_property("executions", scene.outcome.verdict.accepted)
    record_property("lost", 0)


async def move_on(cluster: RedisCluster, slot: int) -> int:
    """Move a slot to the next shard; return the number of its keys."""
    owner = await asyncio.to_thread(cluster.shard_of, slot)
    to = (owner + 1) % cluster.shard_count
    return await asyncio.to_thread(cluster.move_slot, slot, to, seconds=MOVE_SECONDS)


async def test_a_cluster_that_is_down_serves_again(tmp_path: Path) -> None:
    """Both servers of a shard die, so that the cluster refuses all commands, and come back."""
    with running_cluster() as cluster:
        async with scene_on(cluster, tmp_path) as scene:
            scene.outcome.kills.append(time.monotonic())
            for each in cluster.shards[1]:
                each.kill()
            await asyncio.sleep(DOWN_SECONDS)
            for each in cluster.shards[1]:
                await asyncio.to_thread(each.start)
            await asyncio.to_thread(cluster.await_health)
            began = time.monotonic()
            for shard in range(cluster.shard_count):
                await scene.await_service(began, shard)

    assert_nothing_is_lost(scene)
    assert any(name.startswith("503") for name in scene.outcome.statuses)


async def test_a_primary_that_pauses_comes_back_as_a_replica(tmp_path: Path) -> None:
    with running_cluster() as cluster:
        async with scene_on(cluster, tmp_path) as scene:
            for shard in range(cluster.shard_count):
                await scene.pause_and_bring_back(shard)

    assert_nothing_is_lost(scene)
