"""Snapshots of each process's metrics, which it puts into the store every few seconds.

The process that serves the page adds the snapshots up. Those of ended processes are folded into one
sum, so that counts survive them.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any

from engine.errors import EngineError
from engine.services.metrics.vitals import FAMILIES
from engine.store import Store
from engine.store.metrics.samples import add_up, bound_label, without_gauges
from engine.store.metrics.snapshots import RETIRED, is_process, parse_all
from engine.store.redis.installation import SCHEMA
from engine.telemetry.metrics import MOST_PROVIDERS, OTHER, PROCESSES, VERSION, snapshot

PUT_SECONDS = 2.0
MANY_SAMPLES = 1_000
"""Samples above which they are put less often: a hundred providers have 4,000, which take 10 ms."""
SAME_SECONDS = 10.0
"""Interval for snapshots with unchanged counts, which prove that their process lives."""
LAST_SECONDS = 1.0
"""Longest time for which an ending process tries to put its last snapshot."""
GONE_SECONDS = 30
"""Age of a snapshot whose process counts as gone."""

PROCESSES_NAME = "headrace_processes"
PROCESSES.labels(VERSION, str(SCHEMA)).set(1)


async def publish(store: Store, process: str) -> None:
    """Put this process's snapshot into the store every few seconds, and once when cancelled.

    The last one has no gauges: those of an ended process would count until it is gone.
    """
    last: list[Any] = []
    put_at = -math.inf
    try:
        while True:
            samples, now = snapshot(), time.monotonic()
            counts = [each for each in samples if each[0] not in FAMILIES]
            if counts != last or now - put_at >= SAME_SECONDS:
                with contextlib.suppress(EngineError):
                    await store.snapshots.put(process, samples)
                    last, put_at = counts, now
            await asyncio.sleep(_pause(samples))
    finally:
        with contextlib.suppress(EngineError, TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await store.snapshots.put(process, _last(snapshot()))


def _last(samples: Sequence[Any]) -> list[Any]:
    """Return the last samples of a process: its counts, and the version that it had."""
    return [each for each in samples if each[1] != "gauge" or each[0] == PROCESSES_NAME]


def _pause(samples: Sequence[Any]) -> float:
    """Return the seconds until the next snapshot, at most those of unchanged ones."""
    count = sum(len(rows) for _, _, _, rows in samples)
    return min(PUT_SECONDS * max(1.0, count / MANY_SAMPLES), max(PUT_SECONDS, SAME_SECONDS))


async def retire(store: Store) -> None:
    """Fold the snapshots of gone processes into one sum, without their gauges.

    A process that was only disconnected notices this when it puts its next snapshot.
    """
    found, now = await store.snapshots.all()
    snapshots = await asyncio.to_thread(parse_all, found)
    gone = {
        name: each
        for name, each in snapshots.items()
        if is_process(name) and each.at < now - GONE_SECONDS
    }
    if gone:
        before = snapshots[RETIRED].samples if RETIRED in snapshots else []
        numbers = {name: each.number for name, each in gone.items()}
        ended = without_gauges(add_up([before, *(each.samples for each in gone.values())]))
        total = bound_providers(ended, before)
        await store.snapshots.retire(found.get(RETIRED, b""), total, numbers)


def bound_providers(total: Sequence[Any], ended: Sequence[Any]) -> list[Any]:
    """Return a sum with a bounded number of providers, those of ended processes before others."""
    return bound_label(total, ended, "provider", MOST_PROVIDERS, OTHER)
