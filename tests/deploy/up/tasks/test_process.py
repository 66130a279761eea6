"""Tasks of `headrace up` on the store, in processes of their own."""

import os
import time
from functools import partial
from pathlib import Path

import pytest
import redis

from deploy.output.problems import CommandFailed
from deploy.stack.new_installation import record_new
from deploy.up.tasks.process import run_task
from engine.settings import Settings
from engine.store import Store
from engine.store.dispatch.worker_leases import make_worker_id
from engine.store.redis import keyspace, process_keys
from engine.store.redis.installation import SCHEMA
from tests.support.redis.installation import SECRET_KEY

BASE = "http://127.0.0.1:1"


async def prepare(data_dir: Path, url: str, key: str, base_url: str | None) -> dict[str, str]:
    return await run_task(
        "prepare", data_dir=str(data_dir), redis_url=url, secret_key=key, base_url=base_url
    )


async def test_a_new_installation_is_marked_and_has_a_demonstration(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    record_new(tmp_path)

    first = await prepare(tmp_path, unmarked_redis_url, SECRET_KEY, BASE)
    second = await prepare(tmp_path, unmarked_redis_url, SECRET_KEY, BASE)

    assert first["link"].startswith(f"{BASE}/login?token=")
    assert second["accountId"] == first["accountId"]
    assert second["link"] != first["link"]


async def test_a_stack_without_a_demonstration_gets_no_account(
    tmp_path: Path, settings: Settings, store: Store
) -> None:
    assert await prepare(tmp_path, settings.redis_url, settings.secret_key, None) == {"delay": ""}
    assert await store.accounts.list() == []


async def test_the_redis_of_another_installation_is_refused_in_a_sentence(
    tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(CommandFailed, match="another"):
        await prepare(tmp_path, settings.redis_url, "of-another-installation-" * 2, BASE)


async def test_a_redis_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="HEADRACE_REDIS_URL names does not answer"):
        await prepare(tmp_path, f"unix://{tmp_path}/none", SECRET_KEY, None)


async def test_the_leases_of_a_dead_worker_are_released(settings: Settings, store: Store) -> None:
    worker_id = make_worker_id()
    with redis.Redis.from_url(settings.redis_url) as client:
        client.zadd(process_keys.workers(), {worker_id: (time.time() + 60) * 1000})

    await run_task("after_death", redis_url=settings.redis_url, worker_pid=os.getpid())

    assert await store.leases.dead_workers(seen_only=True) == [worker_id]


@pytest.mark.parametrize("worker_pid", [None, 1])
async def test_after_a_death_an_unknown_schema_is_named(
    settings: Settings, worker_pid: int | None
) -> None:
    asked = partial(run_task, "after_death", redis_url=settings.redis_url, worker_pid=worker_pid)
    known = await asked()
    with redis.Redis.from_url(settings.redis_url) as client:
        client.hset(keyspace.installation(), "schema", SCHEMA + 1)

    unknown = await asked()

    assert known == {}
    assert unknown["refusal"].startswith("SCHEMA_TOO_NEW: The Redis at ")


async def test_an_unknown_task_fails() -> None:
    with pytest.raises(CommandFailed, match="'nothing' ended with 1"):
        await run_task("nothing")
