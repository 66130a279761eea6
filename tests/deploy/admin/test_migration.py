"""`headrace migrate`: the tables of the history, and the schema of the store."""

import asyncio
import json
from pathlib import Path

import pytest
import redis

from deploy.admin.migration import NO_STORE, explain_delay, migrate_store
from engine.history.migrations.revisions import newest_revision
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA
from tests.deploy.test_cli import headrace
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.redis.cluster import running_cluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.workers.leases import beat


def lower(client: redis.Redis) -> None:
    client.hset(keyspace.installation(), "schema", FIRST_SCHEMA)


def schema(client: redis.Redis) -> int:
    return int(client.hget(keyspace.installation(), "schema") or 0)


def migrate(data_dir: Path, *more: str, url: str, key: str = SECRET_KEY) -> tuple[int, str, str]:
    arguments = ("migrate", "--data-dir", str(data_dir), *more)
    named = {"HEADRACE_REDIS_URL": url, "HEADRACE_SECRET_KEY": key} if url else {}
    done = headrace(*arguments, **named)
    return done.returncode, done.stdout, done.stderr


async def test_the_schema_waits_for_the_last_process_of_an_older_version(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    lower(redis_cleaner)
    await store.snapshots.put("gateway-a", [])
    await beat(store, "worker-b", 60_000)

    waits = await migrate_store(store)
    during = schema(redis_cleaner)
    await store.client.send("DEL", "hr:metrics", "hr:workers")
    raised = await migrate_store(store)

    assert waits == {
        "schemaVersion": FIRST_SCHEMA,
        "olderProcesses": [
            {"name": "gateway-a", "version": None},
            {"name": "worker-b", "version": None},
        ],
    }
    assert during == FIRST_SCHEMA
    assert raised == {"schemaVersion": SCHEMA, "olderProcesses": []}
    assert schema(redis_cleaner) == SCHEMA
    assert await migrate_store(store) == raised


def test_the_command_migrates_all_and_may_be_repeated(
    tmp_path: Path, settings: Settings, redis_cleaner: redis.Redis
) -> None:
    lower(redis_cleaner)

    done = [migrate(tmp_path, "--json", url=settings.redis_url) for _ in range(2)]

    assert done[0] == done[1]
    code, output, errors = done[0]
    row = json.loads(output)
    assert row.pop("database").startswith("sqlite:")
    assert row == {
        "revision": newest_revision(),
        "schemaVersion": SCHEMA,
        "olderProcesses": [],
    }
    assert (code, errors) == (0, "")
    assert schema(redis_cleaner) == SCHEMA


async def test_the_command_names_old_processes_in_one_line(
    tmp_path: Path, settings: Settings, store: Store, redis_cleaner: redis.Redis
) -> None:
    lower(redis_cleaner)
    await store.snapshots.put("gateway-a", [])

    code, output, errors = migrate(tmp_path, "--json", url=settings.redis_url)

    assert code == 1
    assert json.loads(output)["olderProcesses"] == [{"name": "gateway-a", "version": None}]
    assert errors.startswith("headrace: The schema of the store stays at 1, since processes")
    assert "gateway-a (0.1.0)" in errors
    assert errors.count("\n") == 1
    assert schema(redis_cleaner) == FIRST_SCHEMA


@pytest.mark.parametrize("is_named", [True, False])
def test_before_there_is_a_store_the_tables_alone_are_made(
    is_named: bool, tmp_path: Path, unmarked_redis_url: str
) -> None:
    url = unmarked_redis_url if is_named else ""

    code, output, errors = migrate(tmp_path, "--json", url=url)

    assert (code, errors) == (0, "")
    row = json.loads(output)
    assert {name: row[name] for name in NO_STORE} == NO_STORE
    assert row["revision"] == newest_revision()


def test_the_command_refuses_another_installations_store_and_a_newer_one(
    tmp_path: Path, settings: Settings, redis_cleaner: redis.Redis
) -> None:
    foreign = migrate(tmp_path, url=settings.redis_url, key="of-another-installation-" * 2)
    redis_cleaner.hset(keyspace.installation(), "schema", SCHEMA + 1)
    newer = migrate(tmp_path, url=settings.redis_url)

    assert foreign[0] == newer[0] == 1
    assert "holds another installation's data" in foreign[2]
    assert newer[2].startswith("headrace: SCHEMA_TOO_NEW: ")
    assert schema(redis_cleaner) == SCHEMA + 1


def test_a_raised_schema_needs_no_explanation() -> None:
    assert explain_delay({"schemaVersion": SCHEMA, "olderProcesses": []}) == ""
    assert explain_delay(NO_STORE) == ""


# -- clusters -------------------------------------------------------------------------------------


async def test_the_schema_of_a_cluster_is_raised_and_an_unknown_one_is_refused(
    tmp_path: Path,
) -> None:
    with running_cluster(3, 0) as cluster:
        url = cluster.address()
        store = Store.open(Settings(redis_url=url, secret_key=SECRET_KEY))
        send = store.client.send
        await send("HSET", keyspace.installation(), "schema", FIRST_SCHEMA)
        await store.snapshots.put("gateway-a", [])
        waits = await migrate_store(store)
        await send("DEL", "hr:metrics")
        done = await asyncio.to_thread(migrate, tmp_path, "--json", url=url)
        raised = await store.schema.read()
        stopped = asyncio.Event()
        store.guard.stop_on_new_schema(stopped.set)
        await send("HSET", keyspace.installation(), "schema", SCHEMA + 1)
        await asyncio.wait_for(stopped.wait(), PATIENCE_SECONDS)
        refused = await asyncio.to_thread(migrate, tmp_path, url=url)
        await store.close()

    assert [each["name"] for each in waits["olderProcesses"]] == ["gateway-a"]
    assert (done[0], json.loads(done[1])["schemaVersion"]) == (0, SCHEMA)
    assert raised == SCHEMA
    assert refused[0] == 1
    assert refused[2].startswith("headrace: SCHEMA_TOO_NEW: ")
