"""First members of sorted sets: which have one that is old enough."""

import pytest
import redis

from engine.settings import Settings
from engine.store import Store
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import keyspace
from tests.support.redis.installation import mark, process_with

NEVER = 1e9


async def test_sets_are_due_by_their_first_member(store: Store) -> None:
    first = FirstMembers(store.client, keyspace.finished)
    await store.client.send("ZADD", keyspace.finished(3), 100, "a", 200, "b")
    await store.client.send("ZADD", keyspace.finished(5), 150, "c")

    due = [await first.due(until, NEVER) for until in (99, 100, 150)]
    await store.client.send("ZREM", keyspace.finished(3), "a")
    later = await first.due(150, NEVER)

    assert [set(each) for each in (*due, later)] == [set(), {3}, {3, 5}, {5}]
    assert first.has_any


async def test_of_many_sets_those_are_read_that_may_be_due(
    redis_url: str, redis_cleaner: redis.Redis, settings: Settings
) -> None:
    mark(redis_cleaner, partition_count=256)
    with process_with(256):
        store = Store.open(settings)
        first = FirstMembers(store.client, keyspace.finished)
        await store.client.send("ZADD", keyspace.finished(200), 100, "a")
        await first.due(0, NEVER)  # reads all
        redis_cleaner.config_resetstat()

        early = await first.due(99, NEVER)
        due = await first.due(100, NEVER)

        assert (early, due) == ([], [200])
        assert redis_cleaner.info("commandstats")["cmdstat_zrange"]["calls"] == 2 * 16 + 1
        await store.client.send("ZADD", keyspace.finished(255), 1, "b")
        found = [await first.due(100, NEVER) for _ in range(16)]
        assert found[0] == [200]
        assert sorted(found[-1]) == [200, 255]
        await store.close()


async def test_a_bounded_number_of_members_is_due(store: Store) -> None:
    first = FirstMembers(store.client, keyspace.finished)
    await store.client.send("ZADD", keyspace.finished(3), 100, "a", 200, "b", 201, "c")
    await store.client.send("ZADD", keyspace.finished(5), 150, "d")

    found = [await first.due_members(*each, NEVER) for each in ((99, 9), (200, 9), (200, 2))]

    assert found[0] == []
    assert sorted(found[1]) == ["a", "b", "d"]
    assert len(found[2]) == 2


@pytest.mark.parametrize("score", [None, b"7", 7.0, "7"])
async def test_a_score_is_noted_as_it_comes(score: object, store: Store) -> None:
    first = FirstMembers(store.client, keyspace.finished)

    first.note(3, score)

    assert first.has_any is (score is not None)
