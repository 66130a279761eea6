"""A cluster that goes on without one of its primaries: accounts of the others are served."""

from pathlib import Path

import pytest
from redis.crc import key_slot

from deploy.net.http_client import call
from engine.store.redis import keyspace, process_keys
from tests.support.acceptance.callers import RUN, make_caller, save
from tests.support.acceptance.running_stack import BARE, RunningStack, running, until
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.processes import ServerProcess
from tests.support.redis.sentinel import append

INPUTS = {"inputs": {"who": "Ada"}}
SERVED, REFUSED = 200, 503

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def shard_of(cluster: RedisCluster, key: str) -> int:
    return cluster.shard_of(key_slot(key.encode()))


def nodes_of(server: ServerProcess) -> bytes:
    """Return all nodes with their states, as a server sees them."""
    found: bytes = server.command("CLUSTER", "NODES")
    return found


def make_callers(stack: RunningStack, cluster: RedisCluster) -> dict[int, tuple[str, str]]:
    """Create an account on each shard; return its key and its workflow by shard."""
    callers: dict[int, tuple[str, str]] = {}
    for number in range(200):
        account, key = make_caller(stack, f"caller{number}")
        shard = shard_of(cluster, keyspace.wallet(account))
        if shard not in callers:
            callers[shard] = key, save(stack, key, f"Letter {number}")
        if len(callers) == len(cluster.shards):
            break
    return callers


def test_accounts_of_other_primaries_are_served_while_one_is_away(tmp_path: Path) -> None:
    cluster = RedisCluster(3, 0, is_marked=False)
    for server in cluster.servers:
        append(server, ["cluster-require-full-coverage no"])
    try:
        cluster.start()
        with running(tmp_path, *BARE, HEADRACE_REDIS_URL=cluster.address()) as stack:
            callers = make_callers(stack, cluster)

            def statuses() -> dict[int, int]:
                return {
                    shard: call("POST", stack.url + RUN.format(slug), key=key, body=INPUTS)[0]
                    for shard, (key, slug) in callers.items()
                }

            # Hints of all accounts lie on one primary, without which no run can be answered.
            away = (shard_of(cluster, process_keys.hints("walk")) + 1) % 3
            killed = cluster.kill_primary(away)
            others = [each for each in cluster.servers if each is not killed]
            until(lambda: all(b"master,fail " in nodes_of(each) for each in others))
            expected = dict.fromkeys(callers, SERVED) | {away: REFUSED}

            until(statuses, lambda found: found == expected)

            assert [statuses() for _ in range(5)] == [expected] * 5
            killed.start()
            until(statuses, lambda found: found == dict.fromkeys(callers, SERVED))
    finally:
        cluster.stop()
