"""Outboxes of the history over many partitions."""

from collections.abc import AsyncIterator

import pytest
import redis

from engine.settings import Settings
from engine.store import Store
from engine.store.archive import outbox
from engine.store.archive.outbox import HistoryBacklog, Outbox
from engine.store.redis import keyspace
from tests.support.redis.installation import mark, process_with

COUNT = 256


@pytest.fixture
async def many(
    redis_url: str, redis_cleaner: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """Return a store of many partitions; after the first pass, each read is of sixteen."""
    monkeypatch.setattr(outbox, "OLDEST_ROTATION_SECONDS", 1e9)
    monkeypatch.setattr(outbox, "BACKLOG_ROTATION_SECONDS", 1e9)
    mark(redis_cleaner, partition_count=COUNT)
    with process_with(COUNT):
        store = Store.open(settings)
        yield store
        await store.close()


async def test_the_members_of_all_partitions_come_in_turn(
    many: Store, redis_cleaner: redis.Redis
) -> None:
    waiting = Outbox(many.client, keyspace.unarchived)
    assert await waiting.oldest(10) == []
    for partition in range(0, COUNT, 2):
        await many.client.send("ZADD", keyspace.unarchived(partition), 1, f"acc/{partition}")
    redis_cleaner.config_resetstat()

    pages = [await waiting.oldest(500) for _ in range(16)]

    names = [name for page in pages for name in page]
    assert sorted(names) == sorted(f"acc/{each}" for each in range(0, COUNT, 2))
    assert {len(page) for page in pages} == {8}
    assert redis_cleaner.info("commandstats")["cmdstat_zcard"]["calls"] == COUNT


async def test_partitions_are_read_less_often_while_nothing_is_found(
    many: Store, redis_cleaner: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "OLDEST_ROTATION_SECONDS", 1e-6)
    monkeypatch.setattr(outbox, "QUIET_ROTATION_SECONDS", 1e9)
    waiting = Outbox(many.client, keyspace.unarchived)
    redis_cleaner.config_resetstat()

    def reads() -> int:
        return int(redis_cleaner.info("commandstats")["cmdstat_zcard"]["calls"])

    await waiting.oldest(10)
    await waiting.oldest(10)
    busy = reads()
    monkeypatch.setattr(outbox, "QUIET_SECONDS", -1.0)
    await waiting.oldest(10)

    assert (busy, reads() - busy) == (2 * COUNT, 16)


async def test_the_oldest_of_the_fullest_come_first(store: Store) -> None:
    waiting = Outbox(store.client, keyspace.unarchived)
    await store.client.send("ZADD", keyspace.unarchived(1), 9, "a/2", 5, "a/1")
    await store.client.send("ZADD", keyspace.unarchived(2), 1, "b/1")

    assert [await waiting.oldest(count) for count in (1, 2, 3, 0)] == [
        ["a/1"],
        ["a/1", "a/2"],
        ["a/1", "a/2", "b/1"],
        [],
    ]


async def test_a_backlog_is_what_the_partitions_had_when_they_were_read(many: Store) -> None:
    waiting = Outbox(many.client, keyspace.unarchived)
    await many.client.send("ZADD", keyspace.unarchived(0), 7, "a/1", 8, "a/2")
    await many.client.send("ZADD", keyspace.unarchived(200), 5, "b/1")

    first = await waiting.backlog()
    await many.client.send("DEL", keyspace.unarchived(0), keyspace.unarchived(200))
    later = [await waiting.backlog() for _ in range(16)]

    assert first == HistoryBacklog(count=3, oldest_at=5)
    assert later[0] == HistoryBacklog(count=1, oldest_at=5)
    assert later[-1] == HistoryBacklog(count=0, oldest_at=None)


async def test_members_leave_the_sets_of_their_partitions(many: Store) -> None:
    waiting = Outbox(many.client, keyspace.unarchived)
    names = [f"acc_{number}/x" for number in range(20)]
    for name in names:
        partition = outbox.partition_of(name.partition("/")[0])
        await many.client.send("ZADD", keyspace.unarchived(partition), 1, name)

    await waiting.remove(names[:19])

    assert await Outbox(many.client, keyspace.unarchived).oldest(500) == [names[19]]


async def test_members_move_to_the_sets_of_their_partitions_with_a_score(many: Store) -> None:
    waiting = Outbox(many.client, keyspace.unarchived)
    partitions = {f"acc_{number}/x": outbox.partition_of(f"acc_{number}") for number in range(20)}
    for name, partition in partitions.items():
        await many.client.send("ZADD", keyspace.unarchived(partition), 1, name)

    await waiting.move(partitions, keyspace.finished, 7)
    await waiting.move(partitions, keyspace.finished, 7)

    assert await Outbox(many.client, keyspace.unarchived).oldest(500) == []
    for name, partition in partitions.items():
        assert float(await many.client.send("ZSCORE", keyspace.finished(partition), name)) == 7
