"""Mixed load for an hour (`make soak`): nothing grows, and nothing is left behind.

SOAK_SECONDS is its length, SOAK_RATE the calls a second; `-s` shows figures.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import redis.asyncio

from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.footprint import Footprint, Trace
from tests.support.acceptance.mixed_load import MixedLoad
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.eventually import eventually
from tests.support.http.scripted_server import serving
from tests.support.http.webhook_receivers import receiving

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
RATE = float(os.environ.get("SOAK_RATE", "20"))
ENVIRON = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
SHORT = {"HEADRACE_HOT_MINUTES": "3", "HEADRACE_RETENTION_DAYS": "0.002"}
"""Redis forgets executions after 3 minutes, so that an hour removes as many as it creates."""
FORGET_SECONDS = 420
WARM_UP = 1 / 3
"""Fraction of the time after which nothing may grow."""
MEGABYTES_AN_HOUR = 1.0
KEYS_LEFT = 0.1
"""Keys per call that may remain: counts of the day, rate windows, deleted workflows."""


class Soak:
    """A stack, its load and its footprint."""

    def __init__(self, stack: RunningStack, target_url: str, receiver_url: str) -> None:
        self._stack = stack
        self._target_url = target_url
        self._receiver_url = receiver_url
        until(lambda: stack.part("worker"), lambda pids: len(pids) == 2)  # ready may come first
        self.footprint = Footprint(stack)

    def _make_key(self) -> str:
        account = make_account(self._stack, tier="enterprise")["id"]
        rights = ("--capability", "workflow:*", "--capability", "webhook:receive")
        key = json_of(self._stack, "key", "create", "--account", account, *rights)
        url = f"{self._receiver_url}/ok"
        json_of(self._stack, "key", "webhook", key["id"], "--url", url, **ENVIRON)
        return str(key["key"])

    async def run(self, seconds: float, rate: float) -> dict[str, int]:
        """Make the calls while watching the processes; return the count of each answer."""
        headers = {"x-api-key": await asyncio.to_thread(self._make_key)}
        limits = httpx2.Limits(max_connections=200)
        async with httpx2.AsyncClient(
            base_url=self._stack.url, headers=headers, timeout=60, limits=limits
        ) as client:
            load = MixedLoad(client, self._target_url)
            await load.begin()
            watching = asyncio.create_task(self._watch(seconds))
            await load.go_on(seconds, rate)
            watching.cancel()
        return dict(load.answers)

    async def _watch(self, seconds: float) -> None:
        while True:
            self.footprint.look()
            await asyncio.sleep(min(10.0, seconds / 60))

    async def keys(self) -> dict[str, int]:
        """Return the number of keys in Redis by kind."""
        async with redis.asyncio.Redis.from_url(self._stack.redis_url) as client:
            found: dict[str, int] = {}
            async for key in client.scan_iter(count=1000):
                kind = kind_of(key.decode(errors="replace"))
                found[kind] = found.get(kind, 0) + 1
        return found


def kind_of(key: str) -> str:
    """Return a key's name without the parts that differ between accounts or executions."""
    return key.split("}:")[-1].split(":")[0]


def show(trace: Trace) -> None:
    parts = len(trace.megabytes) // 6 or 1
    observed = ", ".join(f"{each:.1f}" for each in [*trace.megabytes[::parts], trace.megabytes[-1]])
    print(
        f"{trace.name}: {observed} MB; after the warm-up {trace.growth(WARM_UP):+.2f} MB/h; "
        f"open files {trace.files_early:.0f} → {trace.files_late:.0f}"
    )


@contextlib.asynccontextmanager
async def soaking(folder: Path) -> AsyncIterator[Soak]:
    """Start a new stack with its load and its log."""
    async with serving() as target, receiving() as receiver:
        with running(folder, "--workers", "2", "--no-demo", **ENVIRON, **SHORT) as stack:
            yield Soak(stack, target.url, receiver.url)


def must_be_answered(answers: dict[str, int]) -> None:
    """Fail for a failed call, except those of `_err` and `_fail`."""
    odd = {each for each in answers if not each.split()[-1].isdigit() or each.endswith(" 503")}
    assert not odd


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + FORGET_SECONDS + 120)
async def test_nothing_grows_under_mixed_load(tmp_path: Path) -> None:
    async with soaking(tmp_path) as soak:
        before = await soak.keys()
        answers = await soak.run(SECONDS, RATE)
        print("answers", dict(sorted(answers.items())))
        print("keys before", before, "\nkeys at the end of the load", await soak.keys())
        after = await eventually(
            soak.keys, lambda keys: not keys.get("execution"), timeout=FORGET_SECONDS, pause=2
        )
        print("keys when all is forgotten", after)
    traces = soak.footprint.traces
    for trace in traces:
        show(trace)

    must_be_answered(answers)
    assert sum(after.values()) - sum(before.values()) < KEYS_LEFT * sum(answers.values())
    assert [trace.name for trace in traces if trace.files_late > trace.files_early + 5] == []
    ours = [trace for trace in traces if not trace.name.startswith("redis")]
    assert [trace.name for trace in ours if trace.growth(WARM_UP) > MEGABYTES_AN_HOUR] == []


async def test_every_kind_of_call_is_answered_under_mixed_load(tmp_path: Path) -> None:
    """The first minutes of the soak."""
    async with soaking(tmp_path) as soak:
        answers = await soak.run(2, 30)

    must_be_answered(answers)
    assert {"POST workflows 200", "POST workflows 202", "POST workflows 500"} <= set(answers)
    assert len(soak.footprint.traces) == 4
