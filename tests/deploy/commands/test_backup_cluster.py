"""`headrace backup` and `headrace restore` of clusters, into one server and back."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.backup.local_server import serving_folder
from engine.store.redis import keyspace, process_keys
from tests.support.acceptance.running_stack import environment
from tests.support.process.forked_command import headrace
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.installation import SECRET_KEY

KEYS = 500
FAR_MS = 4_000_000_000_000


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    with running_cluster(3, 0) as cluster:
        with cluster.client() as client:
            for number in range(KEYS):
                client.hset(f"hr:key{number}", mapping={"number": number})
        yield cluster


@pytest.fixture
def empty_cluster() -> Iterator[RedisCluster]:
    with running_cluster(3, 0, is_marked=False) as cluster:
        yield cluster


def run(*arguments: str, redis_url: str = "") -> tuple[int, str, str]:
    environ = {"HEADRACE_SECRET_KEY": SECRET_KEY}
    environ |= {"HEADRACE_REDIS_URL": redis_url} if redis_url else {}
    done = headrace(*arguments, environ=environment(**environ))
    return done.returncode, done.stdout, done.stderr


def numbers(client: Any) -> set[int]:
    return {int(client.hget(key, "number")) for key in client.scan_iter("hr:key*")}


async def numbers_in(data_dir: Path) -> set[int]:
    async with serving_folder(data_dir / "redis") as url:
        with redis.Redis.from_url(url) as client:
            return numbers(client)


def test_a_cluster_is_restored_into_one_server_and_from_there_into_another_cluster(
    cluster: RedisCluster, empty_cluster: RedisCluster, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    data_dir, other = tmp_path / "data", tmp_path / "other"

    code, _, errors = run("backup", str(first), redis_url=cluster.address())
    assert code == 0, errors
    code, out, errors = run("restore", str(first), "--data-dir", str(data_dir), "--json")
    assert code == 0, errors
    assert json.loads(out)["keys"] >= KEYS
    assert asyncio.run(numbers_in(data_dir)) == set(range(KEYS))

    code, _, errors = run("backup", str(second), "--data-dir", str(data_dir))
    assert code == 0, errors
    address = empty_cluster.address()
    code, _, errors = run("restore", str(second), "--data-dir", str(other), redis_url=address)
    assert code == 0, errors
    with empty_cluster.client() as client:
        assert numbers(client) == set(range(KEYS))
        created = client.hget(keyspace.installation(), "created")
        assert [client.hget(keyspace.partition_mark(each), "created") for each in range(16)] == [
            created
        ] * 16
    assert run("account", "list", redis_url=address)[0] == 0
    code, _, errors = run("restore", str(second), "--data-dir", str(other), redis_url=address)
    assert (code, "is not empty" in errors) == (1, True), errors


def test_a_cluster_in_use_is_not_saved(cluster: RedisCluster, tmp_path: Path) -> None:
    with cluster.client() as client:
        client.zadd(process_keys.workers(), {"worker-of-the-test": FAR_MS})

    code, _, errors = run("backup", str(tmp_path / "b.zip"), redis_url=cluster.address())

    assert (code, "stop all gateways and workers" in errors) == (1, True), errors
    assert "worker-of-the-test" in errors
    assert list(tmp_path.iterdir()) == []
