"""The check of the schema in `headrace doctor`."""

from dataclasses import replace

import redis

from deploy.admin.schema_check import check_schema
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA


async def test_the_newest_schema_is_well(store: Store) -> None:
    check = await check_schema(store)

    assert (check.name, check.is_well, check.seen) == ("schema", True, str(SCHEMA))
    assert not check.needs_fix


async def test_an_older_schema_is_a_warning_that_names_old_processes(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    redis_cleaner.hset(keyspace.installation(), "schema", FIRST_SCHEMA)
    alone = await check_schema(store)
    await store.snapshots.put("gateway-a", [])

    beside = await check_schema(store)

    assert (alone.is_well, alone.warns, alone.seen) == (True, True, "1")
    assert "`headrace migrate`" in alone.fix
    assert beside.seen == "1; processes of an older version run: gateway-a (0.1.0)"


async def test_a_store_that_does_not_answer_is_not_well(settings: Settings) -> None:
    store = Store.open(replace(settings, redis_url="unix:///nowhere/at/all.sock"))
    check = await check_schema(store)
    await store.close()

    assert not check.is_well
    assert check.seen.startswith("cannot be read: ")
