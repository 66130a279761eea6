"""Marker of an installation: a Redis without it, or with another one, is refused."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from engine.access.capabilities import Tier
from engine.access.sealing import Sealer
from engine.errors import SchemaTooNew, Unavailable, WrongStore
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.settings import SettingError, Settings
from engine.store import Store
from engine.store.redis import installation, keyspace, process_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.heartbeat import Heartbeat
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA, MarkOutcome, mark
from engine.store.seals import SEALED
from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.redis.installation import MARKER, SECRET_KEY, empty, process_with
from tests.support.workers.leases import beat
from workers.runtime.broker import HintBroker, LoopWorker
from workers.runtime.limits import ConcurrencyLimit

OTHER = "of-another-installation-" * 2
OURS = Sealer.from_secret_key(SECRET_KEY)
KEY = keyspace.installation()


@pytest.fixture(autouse=True)
def checks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client without a guard."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[dict[str, Store]]:
    """Return a store by its secret key; an empty key is a process without one."""
    keys = {"ours": SECRET_KEY, "other": OTHER, "both": f"{OTHER},{SECRET_KEY}", "none": ""}
    opened = {
        name: Store.open(replace(settings, secret_key=key), None) for name, key in keys.items()
    }
    yield opened
    for store in opened.values():
        await store.close()


def marker(client: redis.Redis) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = client.hgetall(KEY)
    return fields


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (None, "holds no Headrace installation"),
        ({"ids": "0" * 32}, "holds another installation's data"),
        ({"ids": ""}, "holds another installation's data"),
        ({"schema": SCHEMA + 1}, "was written by a newer Headrace (schema 4, known here: 3)"),
        ({"partitions": 32}, "has 32 partitions (this process began with 16)"),
        ({"partitions": 1_025}, "has 1025 partitions (known here: 1 to 1024)"),
        ({"partitions": "many"}, "has 0 partitions (known here: 1 to 1024)"),
    ],
)
async def test_a_redis_with_another_marker_or_none_is_refused_and_not_written_to(
    change: Mapping[str, str | int] | None, seen: str, raw: redis.Redis, stores: dict[str, Store]
) -> None:
    raw.delete(KEY)
    if change is not None:
        raw.hset(KEY, mapping={**MARKER, **change})
    before = {name: raw.dump(name) for name in raw.scan_iter()}
    store = stores["ours"]

    with pytest.raises(WrongStore) as refusal:
        await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
    with pytest.raises(Unavailable):
        await store.ping()

    assert refusal.value.seen.endswith(f" {seen}.")
    assert refusal.value.fix
    assert refusal.value.code == "UNAVAILABLE"
    assert {name: raw.dump(name) for name in raw.scan_iter()} == before


@pytest.mark.parametrize("count", [1, 64, 1_024])
async def test_a_process_learns_the_partitions_of_the_marker(
    count: int, raw: redis.Redis, settings: Settings
) -> None:
    raw.hset(KEY, "partitions", count)
    with process_with(0):
        store = Store.open(settings)
        with pytest.raises(Unavailable):
            await store.accounts.get("acc_1")

        await store.learn_partitions()
        account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)

        assert partitions.known() == count
        assert raw.hexists(keyspace.accounts(partition_of(account.id)), account.id)
        await store.close()


async def test_a_redis_that_begins_anew_with_other_partitions_is_refused(
    raw: redis.Redis, stores: dict[str, Store]
) -> None:
    await stores["ours"].ping()
    raw.hset(KEY, "partitions", 64)

    async def refused() -> bool:
        return await is_refused(stores["ours"])

    await eventually(refused)
    assert partitions.count() == 16


async def test_a_process_without_a_key_works_with_any_marker_but_not_without(
    raw: redis.Redis, stores: dict[str, Store]
) -> None:
    raw.hset(KEY, "ids", "0" * 32)
    await stores["none"].ping()
    raw.delete(KEY)

    async def refused() -> bool:
        return await is_refused(stores["none"])

    await eventually(refused)


async def is_refused(store: Store) -> bool:
    try:
        await store.ping()
    except WrongStore:
        return True
    except Unavailable:
        return False  # the connection has just ended
    return False


async def test_a_redis_that_is_emptied_behind_a_connection_is_noticed_and_comes_back(
    raw: redis.Redis,
    stores: dict[str, Store],
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = stores["ours"]
    await store.ping()
    raw.flushall()

    async def refused() -> bool:
        return await is_refused(store)

    with caplog.at_level(logging.WARNING, "engine.store.redis.installation"):
        await eventually(refused)
        for _ in range(10):  # over several checks
            await asyncio.sleep(0.02)
            assert await refused()
        told = [(each.levelname, each.getMessage()) for each in caplog.records]
        line = caplog.records[0].__dict__
        empty(raw)

        async def back() -> bool:
            return not await is_refused(store)

        await eventually(back)

    assert told == [("ERROR", "the store is refused")]
    assert "holds no Headrace installation" in line["seen"]
    assert "Start Redis on the right data folder, or run `headrace init`" in line["fix"]
    assert caplog.records[-1].getMessage() == "the store is this installation's again"
    await store.ping()


async def test_a_refused_redis_is_not_asked_by_each_call(
    unmarked_redis_url: str,
    raw: redis.Redis,
    stores: dict[str, Store],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 60.0)
    before = raw.info("stats")["total_connections_received"]

    found = await asyncio.gather(
        *(stores["ours"].leases.now() for _ in range(50)), return_exceptions=True
    )
    found += [await is_refused(stores["ours"]) for _ in range(50)]

    assert all(isinstance(each, WrongStore) or each is True for each in found)
    assert raw.info("stats")["total_connections_received"] - before == 1
    errors = {id(each) for each in found if each is not True}
    assert len(errors) == 50  # one exception per call


async def test_nothing_is_asked_before_a_new_connection_is_known_to_be_right(
    own_server: RedisServer, settings: Settings, tmp_path: Path
) -> None:
    store = Store.open(replace(settings, redis_url=own_server.url))
    await store.ping()
    own_server.kill()
    own_server.is_marked = False
    own_server.start(tmp_path)

    found: list[object] = []
    for _ in range(2):  # the first calls find an ended connection
        calls = [beat(store, "w1", 5_000) for _ in range(20)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, Unavailable) for each in found)
    with redis.Redis.from_url(own_server.url) as client:
        left = client.keys()
    await store.close()

    assert all(isinstance(each, WrongStore) for each in found)
    assert left == []


def test_the_address_in_the_log_has_no_password() -> None:
    guard = installation.Guard(
        RedisAddress.parse("rediss://ada:secret@redis.internal:6380/2"), OURS
    )

    with pytest.raises(WrongStore) as refusal:
        guard.check(None)

    assert (
        refusal.value.seen == "The Redis at redis.internal:6380/2 holds no Headrace installation."
    )


# -- schemas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", [FIRST_SCHEMA, SCHEMA])
async def test_the_schema_of_the_release_before_is_served_and_left_as_it_is(
    schema: int, raw: redis.Redis, stores: dict[str, Store]
) -> None:
    raw.hset(KEY, "schema", schema)

    await stores["ours"].ping()
    await stores["both"].ping()  # it adds the id of its other key

    assert raw.hget(KEY, "schema") == str(schema).encode()
    assert stores["ours"].guard.knows_schema


async def test_a_schema_that_is_raised_behind_a_connection_stops_the_process(
    raw: redis.Redis, stores: dict[str, Store], caplog: pytest.LogCaptureFixture
) -> None:
    store, stops = stores["ours"], list[None]()
    store.guard.stop_on_new_schema(lambda: stops.append(None))
    await store.ping()
    store.guard.raise_for_schema()
    raw.hset(KEY, "schema", SCHEMA + 1)

    with caplog.at_level(logging.ERROR, "engine.store.redis.installation"):
        await eventually(lambda: is_refused(store))
    raw.hset(KEY, "schema", SCHEMA)
    late = list[None]()
    store.guard.stop_on_new_schema(lambda: late.append(None))

    assert (len(stops), len(late)) == (1, 1)
    assert not store.guard.knows_schema
    with pytest.raises(SchemaTooNew, match="cannot be reached right now") as refusal:
        store.guard.raise_for_schema()
    assert refusal.value.seen.startswith("SCHEMA_TOO_NEW: ")
    assert caplog.records[0].__dict__["seen"] == refusal.value.seen
    assert caplog.records[0].__dict__["fix"] == refusal.value.fix


# -- workers --------------------------------------------------------------------------------------


async def test_a_heartbeat_leaves_a_foreign_redis_alone(
    redis_url: str, raw: redis.Redis, stores: dict[str, Store]
) -> None:
    raw.hset(KEY, "ids", "0" * 32)
    heartbeat = Heartbeat(RedisAddress.parse(redis_url), "w1", 0.06, stores["ours"].guard)
    beats = calls_of(raw, "hgetall")

    heartbeat.start()
    while calls_of(raw, "hgetall") < beats + 3:
        await asyncio.sleep(0.01)
    foreign = raw.exists(process_keys.workers())
    empty(raw)
    while not raw.exists(process_keys.workers()):
        await asyncio.sleep(0.01)
    heartbeat.stop()

    assert foreign == 0


def calls_of(client: redis.Redis, command: str) -> int:
    return int(client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_no_hint_is_taken_from_a_foreign_redis(
    redis_url: str, raw: redis.Redis, stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.broker.RESTART_SECONDS", 0.01)
    raw.hset(KEY, "ids", "0" * 32)
    raw.rpush(process_keys.hints("walk"), "walk|acc/1")
    broker = HintBroker(RedisAddress.parse(redis_url), ConcurrencyLimit(1), stores["ours"].guard)
    broker.declare_queue("walk")
    tries = calls_of(raw, "hello")

    async with LoopWorker(broker).running():
        while calls_of(raw, "hello") < tries + 3:
            await asyncio.sleep(0.01)
        left = raw.llen(process_keys.hints("walk"))
        empty(raw)
        raw.rpush(process_keys.hints("walk"), "walk|acc/1")
        while raw.llen(process_keys.hints("walk")):
            await asyncio.sleep(0.01)
    broker.close()

    assert left == 1


# -- marking --------------------------------------------------------------------------------------


async def test_a_redis_is_marked_once(unmarked_redis_url: str, raw: redis.Redis) -> None:
    first, made = await mark(RedisAddress.parse(unmarked_redis_url), OURS)
    before = marker(raw)
    second, again = await mark(RedisAddress.parse(unmarked_redis_url), OURS)

    assert (first, second) == (MarkOutcome.BEGUN, MarkOutcome.KEPT)
    assert made == again
    assert marker(raw) == before
    assert (made.ids, made.schema, made.partitions) == (OURS.installation_ids, 3, 16)
    seconds, _ = raw.time()
    assert abs(made.created_at / 1000 - seconds) < 60


async def test_of_many_that_mark_a_redis_at_once_one_wins(
    unmarked_redis_url: str, raw: redis.Redis
) -> None:
    keys = [SECRET_KEY, OTHER] * 5

    found = await asyncio.gather(
        *(
            mark(RedisAddress.parse(unmarked_redis_url), Sealer.from_secret_key(key))
            for key in keys
        ),
        return_exceptions=True,
    )

    refused = [key for key, each in zip(keys, found, strict=True) if isinstance(each, WrongStore)]
    assert len(set(refused)) == 1
    assert len(refused) == 5
    assert marker(raw)[b"ids"].count(b" ") == 0


async def test_another_installations_redis_is_marked_only_when_it_is_adopted(
    redis_url: str, raw: redis.Redis, stores: dict[str, Store]
) -> None:
    await stores["ours"].seals.fit()
    before = marker(raw)
    with pytest.raises(WrongStore):
        await mark(RedisAddress.parse(redis_url), Sealer.from_secret_key(OTHER))
    after_refusal = marker(raw)

    outcome, made = await mark(
        RedisAddress.parse(redis_url), Sealer.from_secret_key(OTHER), adopts=True
    )

    assert after_refusal == before
    assert outcome is MarkOutcome.ADOPTED
    assert made.ids == Sealer.from_secret_key(OTHER).installation_ids
    assert made.created_at == MARKER["created"]
    assert await stores["other"].seals.fit()

    async def refused() -> bool:
        return await is_refused(stores["ours"])

    await eventually(refused)


@pytest.mark.parametrize("change", [{"schema": SCHEMA + 1}, {"partitions": 32}])
async def test_data_of_another_form_are_not_adopted(
    change: Mapping[str, int], redis_url: str, raw: redis.Redis
) -> None:
    raw.hset(KEY, mapping={**MARKER, **change, "ids": "0" * 32})
    before = marker(raw)

    with pytest.raises(WrongStore):
        await mark(RedisAddress.parse(redis_url), OURS, adopts=True)

    assert marker(raw) == before


async def test_marking_wants_a_key(unmarked_redis_url: str, raw: redis.Redis) -> None:
    with pytest.raises(SettingError, match="HEADRACE_SECRET_KEY is not set"):
        await mark(RedisAddress.parse(unmarked_redis_url), Sealer.from_secret_key(""))

    assert marker(raw) == {}


async def test_marking_a_redis_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await mark(RedisAddress.parse("unix:///nowhere/at/all.sock"), OURS)


# -- a marker that was lost ---------------------------------------------------------------------


async def test_the_seal_says_whose_an_unmarked_redis_is(
    unmarked_redis_url: str, raw: redis.Redis, stores: dict[str, Store]
) -> None:
    raw.set(
        keyspace.seal(), Sealer.from_secret_key(SECRET_KEY).seal(SEALED, installation.SEAL_PLACE)
    )

    assert await is_refused(stores["ours"])
    with pytest.raises(WrongStore):
        await mark(RedisAddress.parse(unmarked_redis_url), Sealer.from_secret_key(OTHER))
    assert marker(raw) == {}

    await mark(RedisAddress.parse(unmarked_redis_url), OURS)

    assert marker(raw)[b"ids"].decode() == OURS.installation_ids[0]
    await eventually(lambda: is_refused(stores["ours"]), lambda refused: not refused)


# -- a key that is changed ------------------------------------------------------------------------


async def test_while_a_key_is_changed_processes_with_either_are_served(
    raw: redis.Redis, stores: dict[str, Store]
) -> None:
    await stores["ours"].ping()
    was_refused = await is_refused(stores["other"])

    await stores["both"].ping()

    assert was_refused
    assert marker(raw)[b"ids"].split() == [
        each.encode()
        for each in (*Sealer.from_secret_key(OTHER).installation_ids, *OURS.installation_ids)
    ]

    async def served() -> bool:
        return not await is_refused(stores["other"])

    await eventually(served)
    await stores["ours"].ping()
