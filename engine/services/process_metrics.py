"""Metrics of all processes: snapshots in the store, their sum, and the page that shows it.

Each process puts a snapshot of its counts into the store every few seconds; the process that serves
the page adds the snapshots up. Gauges of the state (waiting hints, living workers) are read from
the store for each page.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from engine.errors import EngineError
from engine.store import Store
from engine.store.metrics.samples import add_up, without_gauges
from engine.store.metrics.snapshots import RETIRED, is_process, parse
from engine.store.redis.info import read_memory, read_now
from engine.store.redis.installation import SCHEMA
from engine.telemetry.metrics import PROCESSES, VERSION, snapshot

PUT_SECONDS = 2.0
SAME_SECONDS = 10.0
"""Interval for unchanged snapshots, which prove that their process lives."""
LAST_SECONDS = 1.0
"""Longest time for which an ending process tries to put its last snapshot."""
GONE_SECONDS = 30
"""Age of a snapshot whose process counts as gone."""

PROCESSES.labels(VERSION, str(SCHEMA)).set(1)


async def publish(store: Store, process: str) -> None:
    """Put this process's snapshot into the store every few seconds, and once when cancelled.

    So gauges of a process that has ended are not those of its last work.
    """
    last: list[Any] = []
    put_at = -math.inf
    try:
        while True:
            samples, now = snapshot(), time.monotonic()
            if samples != last or now - put_at >= SAME_SECONDS:
                with contextlib.suppress(EngineError):
                    await store.snapshots.put(process, samples)
                    last, put_at = samples, now
            await asyncio.sleep(PUT_SECONDS)
    finally:
        with contextlib.suppress(EngineError, TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await store.snapshots.put(process, snapshot())


async def retire(store: Store) -> None:
    """Fold the snapshots of gone processes into one sum, without their gauges.

    A process that was only disconnected notices this when it puts its next snapshot.
    """
    found, now = await store.snapshots.all()
    snapshots = {name: parse(data) for name, data in found.items()}
    gone = {
        name: each
        for name, each in snapshots.items()
        if is_process(name) and each.at < now - GONE_SECONDS
    }
    if gone:
        kept = [each.samples for each in gone.values()]
        if RETIRED in snapshots:
            kept.append(snapshots[RETIRED].samples)
        numbers = {name: each.number for name, each in gone.items()}
        total = without_gauges(add_up(kept))
        await store.snapshots.retire(found.get(RETIRED, b""), total, numbers)


async def page(store: Store, process: str, media_free_bytes: int | None = None) -> bytes:
    """Return the metrics of all processes and of the state, in Prometheus's text format.

    Without Redis: those of this process, and `headrace_redis_up 0`. `media_free_bytes` is the
    free space of the media folder's file system; None: unknown.
    """
    try:
        # The store knows which samples of this process are already in the sum of gone processes.
        await store.snapshots.put(process, snapshot())
        found, _ = await store.snapshots.all()
        snapshots = [parse(data).samples for data in found.values()]
        facts = await _facts(store)
    except EngineError:
        snapshots = [snapshot()]
        facts = [_gauge("headrace_redis_up", "1 if Redis answers, else 0.", 0)]
    if media_free_bytes is not None:
        text = "Free space on the file system of the media folder."
        facts.append(_gauge("headrace_media_free_bytes", text, media_free_bytes))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page([*add_up(snapshots), *facts]))
    return generate_latest(registry)


async def _facts(store: Store) -> list[Any]:
    workers = await store.leases.workers()
    dead = await store.leases.dead_workers()
    unarchived = await store.archiver_states.waiting()
    memory = await read_memory(store.client)
    return [
        _gauge("headrace_redis_up", "1 if Redis answers, else 0.", 1),
        _gauge(
            "headrace_redis_memory_used_bytes",
            "Memory of Redis that counts against its limit.",
            memory.used,
        ),
        _gauge(
            "headrace_redis_memory_limit_bytes",
            "Limit of Redis's memory (maxmemory), 0 for none.",
            memory.limit,
        ),
        *await _queue_facts(store),
        _gauge(
            "headrace_executions_due",
            "Executions with a scheduled step: hints to send again, retries, waits of nodes.",
            await store.leases.due(),
        ),
        _gauge(
            "headrace_webhook_deliveries_pending",
            "Deliveries of webhooks that wait for their first or next attempt.",
            await store.deliveries.due(),
        ),
        _gauge(
            "headrace_batch_items_queued",
            "Items of batches that have not begun.",
            await store.feeding.count_queued(),
        ),
        _gauge(
            "headrace_schedule_due_lag_seconds",
            "Age of the oldest due time of a schedule that no worker has begun.",
            await _read_due_lag(store),
        ),
        _gauge(
            "headrace_history_waiting",
            "Ended executions that are not in the history yet.",
            unarchived,
        ),
        _gauge("headrace_workers_alive", "Workers with a lease.", len(set(workers) - set(dead))),
    ]


async def _queue_facts(store: Store) -> list[Any]:
    waiting, age = await store.hints.depth(), await store.oldest_hint.read_seconds()
    text = "Age of the oldest execution with a hint that no worker has begun, 0 for none."
    return [
        _gauge("headrace_hints_waiting", "Hints that no worker has taken.", waiting),
        _gauge("headrace_oldest_hint_seconds", text, age),
    ]


async def _read_due_lag(store: Store) -> float:
    now = await read_now(store.client)
    first = await store.occurrences.due.first_due(now)
    return 0.0 if first is None else (now - first) / 1000


def _gauge(name: str, text: str, value: float) -> list[Any]:
    return [name, "gauge", text, [[name, {}, value]]]


class _Page(Collector):
    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for name, kind, text, rows in self._families:
            metric = Metric(name, text, kind)
            for sample, labels, value in rows:
                metric.add_sample(sample, labels, value)
            yield metric
