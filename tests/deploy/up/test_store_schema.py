"""The schema of a stack's store, raised by `headrace up`."""

import asyncio
from pathlib import Path

import pytest
import redis

from deploy.stack.console import Console
from deploy.up import store_schema as module
from deploy.up.store_schema import raise_when_alone
from deploy.up.tasks.process import run_task
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA


async def test_a_stack_raises_the_schema_once_the_last_old_process_has_gone(
    tmp_path: Path,
    settings: Settings,
    store: Store,
    redis_cleaner: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)
    redis_cleaner.hset(keyspace.installation(), "schema", FIRST_SCHEMA)
    await store.snapshots.put("gateway-a", [])
    place = {"redis_url": settings.redis_url, "secret_key": settings.secret_key}
    console = Console()

    prepared = await run_task("prepare", data_dir=str(tmp_path), base_url=None, **place)
    raising = asyncio.create_task(raise_when_alone(prepared["delay"], **place, console=console))
    await run_task("migrate_store", **place)
    before = await store.schema.read()
    await store.client.send("DEL", "hr:metrics")
    await asyncio.wait_for(raising, 30)
    console.close()

    assert "gateway-a (0.1.0)" in prepared["delay"]
    assert before == FIRST_SCHEMA
    assert await store.schema.read() == SCHEMA
    assert capsys.readouterr().err.count("gateway-a") == 1


async def test_a_stack_that_is_alone_raises_it_at_its_start(
    tmp_path: Path, settings: Settings, store: Store, redis_cleaner: redis.Redis
) -> None:
    redis_cleaner.hset(keyspace.installation(), "schema", FIRST_SCHEMA)

    prepared = await run_task(
        "prepare",
        data_dir=str(tmp_path),
        redis_url=settings.redis_url,
        secret_key=settings.secret_key,
        base_url=None,
    )

    assert prepared == {"delay": ""}
    assert await store.schema.read() == SCHEMA


async def test_a_redis_that_is_away_delays_it(tmp_path: Path, settings: Settings) -> None:
    place = {"redis_url": f"unix://{tmp_path}/none", "secret_key": settings.secret_key}

    assert "does not answer" in (await run_task("migrate_store", **place))["delay"]
