from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.redis.fronts import DelayProxy
from tests.support.redis.processes import wait_until
from tests.support.redis.sentinel import SentinelGroup, running_group


def guest_of(port: int) -> redis.Redis:
    return redis.Redis(port=port, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def group() -> Iterator[SentinelGroup]:
    with running_group() as started:
        yield started


def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(group: SentinelGroup) -> None:
    group.primary().command("SET", "key", "value")
    old = group.kill_primary()

    new = group.await_failover(old)

    assert new.command("GET", "key") == b"value"
    group.restart(old)
    assert (old.info()["role"], old.info()["master_port"]) == ("slave", new.port)
    assert group.primary() is new


def test_a_paused_primary_is_replaced_and_demoted(group: SentinelGroup) -> None:
    old = group.primary()
    old.pause()
    group.await_failover(old)
    old.resume()

    group.await_replicas()

    assert old.info()["role"] == "slave"


def test_a_group_asks_for_its_user() -> None:
    with running_group(1, 1, user="app", password="secret") as group:
        assert group.address().startswith("redis+sentinel://app:secret@127.0.0.1:")
        for server in (group.primary(), *group.sentinels):
            with guest_of(server.port) as guest, pytest.raises(redis.AuthenticationError):
                guest.ping()


def test_a_delayed_replica_loses_the_latest_writes() -> None:
    with running_group(1, 1, fronts=DelayProxy) as group:
        old = group.primary()
        group.front(old).replication_delay = 30.0
        old.command("SET", "key", "late")
        group.kill_primary()

        new = group.await_failover(old)

        assert new.command("GET", "key") is None
        assert group.address().endswith(f":{group.front(group.sentinels[0]).port}/headrace")


def test_writes_are_refused_without_enough_replicas() -> None:
    with running_group(1, 1, min_replicas=1) as group:
        group.replicas()[0].kill()

        def is_refused() -> bool:
            try:
                return not group.primary().command("SET", "key", "value")
            except redis.ResponseError as error:
                return "NOREPLICAS" in str(error)

        wait_until(is_refused, "a refusal")


def test_an_isolated_primary_serves_its_clients_until_it_is_back() -> None:
    with running_group(1, 1, fronts=DelayProxy) as group:
        old = group.primary()
        with redis.Redis(port=group.port_of(old), protocol=2) as client:
            client.set("key", "old")
            group.front(old).isolate()
            new = group.await_failover(old)

            client.set("key", "lost")

            group.front(old).mend()
            group.await_replicas()
            assert (old.info()["role"], new.command("GET", "key")) == ("slave", b"old")
