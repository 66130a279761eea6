"""Each reply of Redis is late while callers start runs: they are answered soon all the same."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from engine.access.tiers import load as load_tiers
from engine.settings import Settings
from engine.store import Store
from tests.conftest import RedisServer
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.failover.absence import Note
from tests.support.failover.load import Answer, Load, Probe, open_accounts, save_tiny
from tests.support.failover.oracle import judge
from tests.support.failover.trial import CALLERS, TIERS
from tests.support.http.scripted_server import serving
from tests.support.redis.fronts import DelayProxy
from tests.support.redis.installation import SECRET_KEY

DELAY_SECONDS = 0.025
"""Of each way: an answer takes 50 ms longer."""
LOAD_SECONDS = 12.0
"""Without the delay, and with it."""
ANSWER_SECONDS = 0.5
"""Bound of 99 of 100 answers to runs without a wait."""


@contextlib.asynccontextmanager
async def stack_behind(front: DelayProxy, folder: Path) -> AsyncIterator[RunningStack]:
    tiers_file = folder / "tiers.toml"
    tiers_file.write_text(TIERS)
    environ = {
        "HEADRACE_REDIS_URL": f"redis://{front.place}",
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_TIERS_FILE": str(tiers_file),
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    }
    started = running(folder, "--no-demo", "--gateways", "2", "--workers", "2", **environ)
    stack = await asyncio.to_thread(started.__enter__)
    try:
        yield stack
    finally:
        await asyncio.to_thread(started.__exit__, None, None, None)


@pytest.mark.F52
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_runs_are_answered_soon_and_are_on_record_although_redis_is_slow(
    own_server: RedisServer, tmp_path: Path, record_property: Note
) -> None:
    with contextlib.closing(DelayProxy(own_server.url)) as front:
        async with stack_behind(front, tmp_path) as stack, serving() as target:
            store = Store.open(Settings(redis_url=own_server.url))
            tiers = load_tiers(str(tmp_path / "tiers.toml"))
            first, second = await open_accounts(store, stack.url, tiers, [0, 0], lambda _: 0)
            load, probe = Load([first], target.url), Probe(second, await save_tiny(second))
            async with load.running(CALLERS), probe.running():
                await asyncio.sleep(LOAD_SECONDS)
                slow_from = time.monotonic()
                front.delay = DELAY_SECONDS
                await asyncio.sleep(LOAD_SECONDS)
                slow_until = time.monotonic()
            verdict = await judge(load, [probe], target.calls)
            await store.close()

    asked = [each for each in [*probe.answers, *load.answers] if each.kind in ("probe", "async")]
    before = p99([each for each in asked if each.answered < slow_from])
    slow = p99([each for each in asked if slow_from <= each.sent < slow_until])
    record_property("executions", verdict.accepted)
    record_property("lost", len(verdict.lost))
    record_property("answer_p99_milliseconds", round(slow * 1_000))
    record_property("answer_p99_without_delay_milliseconds", round(before * 1_000))
    assert (verdict.lost, verdict.wrong, verdict.doubled) == ([], [], 0)
    assert {each.status for each in asked} <= {202, 503}
    assert slow <= ANSWER_SECONDS + before  # which is a few milliseconds on an idle machine


def p99(answers: Sequence[Answer]) -> float:
    """Return the 99th percentile of the answers' seconds."""
    seconds = sorted(each.answered - each.sent for each in answers)
    return seconds[len(seconds) * 99 // 100]
