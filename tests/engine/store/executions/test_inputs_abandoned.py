"""Large inputs without an execution, left by a killed process, and their sweep."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.settings import Settings
from engine.store import Store
from engine.store.executions import offload
from tests.support.factories import Runner, greeting
from tests.support.media.object_files import all_outputs, outputs_of
from tests.support.redis.installation import SECRET_KEY


@pytest.fixture
async def slug(runner: Runner) -> str:
    return await runner.save(greeting())


KILLED = """
import asyncio, os, signal, sys
from dataclasses import replace
from engine.media.objects import ObjectStore
from engine.settings import load
from engine.store import Store
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.records import accept

async def main(account_id, slug):
    settings = load()
    store = Store.open(settings, ObjectStore.from_settings(settings))
    workflow, plan = await store.workflows.plan(slug)
    account = await store.accounts.get(account_id)
    call = store.client.call

    def dies(script, **names):
        if script is SCRIPTS["accept_execution"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(script, **names)

    store.client.call = dies
    await accept(store, account, workflow, plan, {"who": "x" * 300_000})

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def orphan(runner: Runner, settings: Settings, slug: str) -> AsyncIterator[Path]:
    """Store inputs like a process that is killed before the acceptance."""
    environ = {
        **os.environ,
        "HEADRACE_REDIS_URL": settings.redis_url,
        "HEADRACE_MEDIA_URL": settings.media_url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, runner.account.id, slug), env=environ
    )
    assert await process.wait() == -signal.SIGKILL
    (file,) = all_outputs(settings)
    yield file


async def test_the_sweep_spares_inputs_that_were_stored_just_now(
    store: Store, orphan: Path
) -> None:
    assert await store.offloaded.sweep() == 0
    assert orphan.exists()


async def test_the_sweep_removes_inputs_of_a_process_killed_before_the_acceptance(
    runner: Runner,
    settings: Settings,
    orphan: Path,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted = await runner.begin(slug, {"who": "x" * 300_000})
    monkeypatch.setattr(offload, "ACCEPTING_MS", 0)

    assert await runner.store.offloaded.sweep() == 1

    assert not orphan.exists()
    assert len(outputs_of(settings, runner.account.id, accepted)) == 1


@pytest.mark.parametrize(
    ("minutes", "is_spared"), [(0, True), (55, True), (-55, True), (65, False), (-65, False)]
)
async def test_the_sweep_spares_inputs_for_an_hour(
    runner: Runner, store: Store, settings: Settings, minutes: int, is_spared: bool
) -> None:
    """Their acceptance may take long, and clocks of machines may differ."""
    execution_id = "00000000-0000-4000-8000-000000000001"
    stored_at = int(time.time() * 1000) - minutes * 60_000
    name = offload.make_inputs_name(stored_at, 1)
    await store.offloaded.put(runner.account.id, execution_id, name, b"x")

    await store.offloaded.sweep()

    assert bool(all_outputs(settings)) is is_spared


async def test_a_name_of_the_future_spares_nothing(
    runner: Runner, store: Store, settings: Settings
) -> None:
    execution_id = "00000000-0000-4000-8000-000000000001"
    name = offload.make_inputs_name(99_999_999_999_999, 1)
    await store.offloaded.put(runner.account.id, execution_id, name, b"x")

    await store.offloaded.sweep()

    assert all_outputs(settings) == []
