"""Search for due members over many partitions: it reads what may be due, and all in a rotation."""

from collections.abc import Iterator

import pytest
import redis

from engine.ids.partitions import MAX_COUNT
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch import due_search
from engine.store.dispatch.due_search import DueSearch
from engine.store.redis import keyspace
from tests.support.redis.installation import mark, process_with


@pytest.fixture
def many_partitions(redis_url: str, redis_cleaner: redis.Redis) -> Iterator[None]:
    mark(redis_cleaner, partition_count=MAX_COUNT)
    with process_with(MAX_COUNT):
        yield


@pytest.fixture
def slow_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its first pass, the rotation reads sixteen partitions at each search."""
    monkeypatch.setattr(due_search, "ROTATION_SECONDS", 1e9)


def calls(client: redis.Redis, command: str) -> int:
    return int(client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0))


@pytest.mark.usefixtures("many_partitions", "slow_rotation")
async def test_a_partition_is_read_again_when_its_first_member_is_due(
    settings: Settings, redis_cleaner: redis.Redis
) -> None:
    store = Store.open(settings)
    search = DueSearch(store.client, keyspace.due)
    now = await store.leases.now()
    await store.client.send("ZADD", keyspace.due(700), now + 10_000, "acc/x", now + 20_000, "acc/y")
    assert (await search.promote(now, 60_000)).has_more  # the first pass reads all
    before = calls(redis_cleaner, "zrange"), calls(redis_cleaner, "evalsha")

    found = [
        (await search.promote(now + ms, 60_000)).references
        for ms in (9_999, 10_000, 19_999, 20_000)
    ]

    assert found == [[], ["acc/x"], [], ["acc/y"]]
    after = calls(redis_cleaner, "zrange"), calls(redis_cleaner, "evalsha")
    assert after[0] - before[0] <= 4 * 16 + 4  # the script reads too
    assert after[1] - before[1] == 2
    await store.close()


@pytest.mark.usefixtures("many_partitions", "slow_rotation")
async def test_a_new_member_is_found_by_the_rotation(settings: Settings) -> None:
    store = Store.open(settings)
    search = DueSearch(store.client, keyspace.due)
    await search.promote(None, 60_000)
    await store.client.send("ZADD", keyspace.due(40), 1, "acc/x")

    found = [(await search.promote(None, 60_000)).references for _ in range(4)]

    assert found == [[], [], ["acc/x"], []]
    await store.close()


@pytest.mark.usefixtures("many_partitions")
async def test_a_search_takes_a_bounded_number_and_something_of_each_partition(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_search, "MOST", 2 * MAX_COUNT)
    monkeypatch.setattr(due_search, "LEAST_OF_PARTITION", 1)
    store = Store.open(settings)
    search = DueSearch(store.client, keyspace.due)
    for partition in range(MAX_COUNT):
        names = [word for n in range(5) for word in (1, f"acc/{partition}-{n}")]
        await store.client.send("ZADD", keyspace.due(partition), *names)

    first = (await search.promote(None, 600_000)).references
    rest = [name for _ in range(2) for name in (await search.promote(None, 600_000)).references]

    assert len(first) == 2 * MAX_COUNT
    assert len({name.partition("-")[0] for name in first}) == MAX_COUNT
    assert len({*first, *rest}) == 5 * MAX_COUNT
    await store.close()


async def test_a_member_behind_many_others_of_its_partition_is_found_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_search, "MOST_OF_PARTITION", 10)
    search = DueSearch(store.client, keyspace.due)
    now = await store.leases.now()
    greedy = {f"greedy/{number:03}": now for number in range(95)}
    for name, at in {**greedy, "other/x": now + 1}.items():
        await store.client.send("ZADD", keyspace.due(0), at, name)

    found = await search.promote(now + 1, 60_000)

    assert sorted(found.references) == sorted([*greedy, "other/x"])
    assert (await search.promote(now + 1, 60_000)).references == []


async def test_members_that_are_due_much_later_let_the_search_be_quiet(store: Store) -> None:
    search = DueSearch(store.client, keyspace.due)
    now = await store.leases.now()
    await store.client.send("ZADD", keyspace.due(0), now + 3_600_000, "acc/x")

    assert not (await search.promote(now, 60_000)).has_more
    await store.client.send("ZADD", keyspace.due(0), now + 10_000, "acc/y")
    assert (await search.promote(now + 1, 60_000)).has_more
