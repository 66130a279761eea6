"""All metrics, and the page that sums them over all processes.

Each process counts in its own registry and puts a snapshot into the store every few seconds; the
process that serves the page adds the snapshots up. Gauges of the state (waiting hints, living
workers) are read from the store for each page. Labels come from small closed sets only.
"""

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from engine.errors import EngineError
from engine.store import Store
from engine.store.metrics.samples import add_up, without_gauges
from engine.store.metrics.snapshots import RETIRED, is_process, parse
from engine.store.redis.info import read_memory, read_now
from engine.store.redis.installation import SCHEMA

PUT_SECONDS = 2.0
SAME_SECONDS = 10.0
"""Interval for unchanged snapshots, which prove that their process lives."""
LAST_SECONDS = 1.0
"""Longest time for which an ending process tries to put its last snapshot."""
GONE_SECONDS = 30
"""Age of a snapshot whose process counts as gone."""
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

VERSION = version("headrace")
REGISTRY = CollectorRegistry()
HTTP_REQUESTS = Counter(
    "headrace_http_requests_total",
    "Answered requests.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "headrace_http_request_seconds",
    "Time from the head of a request to the end of its answer.",
    ["route"],
    buckets=SECONDS_BUCKETS,
    registry=REGISTRY,
)
EXECUTIONS_ACCEPTED = Counter(
    "headrace_executions_accepted_total", "Accepted executions.", registry=REGISTRY
)
EXECUTIONS_ENDED = Counter(
    "headrace_executions_ended_total", "Executions that ended.", ["status"], registry=REGISTRY
)
EXECUTIONS_HELD = Gauge(
    "headrace_executions_held", "Executions in the hands of workers.", registry=REGISTRY
)
EXECUTION_MEMORY = Gauge(
    "headrace_execution_memory_bytes",
    "Packed size of the data of executions that workers run.",
    registry=REGISTRY,
)
EXECUTION_MEMORY_LIMIT = Gauge(
    "headrace_execution_memory_limit_bytes",
    "Limit of headrace_execution_memory_bytes, in all workers together.",
    registry=REGISTRY,
)
EXECUTIONS_WAITING_FOR_MEMORY = Gauge(
    "headrace_executions_waiting_for_memory",
    "Executions in the hands of workers that wait until others hold less.",
    registry=REGISTRY,
)
NODES_ENDED = Counter(
    "headrace_nodes_ended_total", "Nodes that ended.", ["type", "status"], registry=REGISTRY
)
NODE_SECONDS = Histogram(
    "headrace_node_seconds",
    "Time of one attempt at a node that does not run in place.",
    ["type"],
    buckets=SECONDS_BUCKETS,
    registry=REGISTRY,
)
CLAIMS_REFUSED = Counter(
    "headrace_claims_refused_total", "Hints that found nothing to claim.", registry=REGISTRY
)
EXECUTIONS_LEFT_UNKNOWN = Counter(
    "headrace_executions_left_unknown_total",
    "Executions left to other workers, since this one does not know a part of them.",
    registry=REGISTRY,
)
STEPS_FENCED = Counter(
    "headrace_steps_fenced_total",
    "Steps refused because the execution had gone to another worker.",
    registry=REGISTRY,
)
STEPS_LOST = Counter(
    "headrace_steps_lost_total",
    "Steps refused because Redis had lost earlier ones, as after a failover.",
    registry=REGISTRY,
)
EXECUTIONS_RECOVERED = Counter(
    "headrace_executions_recovered_total",
    "Executions taken back from dead workers.",
    registry=REGISTRY,
)
EXECUTIONS_UNWALKED = Counter(
    "headrace_executions_unwalked_total",
    "Executions that a living worker held without walking them, given back.",
    registry=REGISTRY,
)
EXECUTIONS_ORPHANED = Counter(
    "headrace_executions_orphaned_total",
    "Executions that no worker held and no hint was due for, made due.",
    registry=REGISTRY,
)
HISTORY_ARCHIVED = Counter(
    "headrace_history_archived_total",
    "Records that went to the history: executions, batches, occurrences, deliveries, and so on.",
    ["kind"],
    registry=REGISTRY,
)
HISTORY_FAILED = Counter(
    "headrace_history_failed_total",
    "Attempts at archiving that failed because the database or Redis was away.",
    registry=REGISTRY,
)
WEBHOOK_ATTEMPTS = Counter(
    "headrace_webhook_attempts_total",
    "Attempts at deliveries of webhooks, by what became of the delivery.",
    ["outcome"],
    registry=REGISTRY,
)
WEBHOOKS_DISABLED = Counter(
    "headrace_webhooks_disabled_total",
    "Webhooks disabled because their receiver is gone or failed for too long.",
    registry=REGISTRY,
)
PROVIDER_WAITING = Gauge(
    "headrace_provider_calls_waiting",
    "Calls to providers that wait for their turn.",
    ["provider"],
    registry=REGISTRY,
)
PROVIDER_GRANTED = Counter(
    "headrace_provider_calls_granted_total",
    "Calls to providers that had their turn.",
    ["provider"],
    registry=REGISTRY,
)
PROVIDER_REFUSED = Counter(
    "headrace_provider_calls_refused_total",
    "Calls that providers answered with 429.",
    ["provider"],
    registry=REGISTRY,
)
PROVIDER_BREAKER = Gauge(
    "headrace_provider_breaker_open",
    "Worker processes that fail calls at once because their provider fails.",
    ["provider"],
    registry=REGISTRY,
)
PROVIDER_JOBS_UNKNOWN = Counter(
    "headrace_provider_jobs_unknown_total",
    "Jobs that may have begun at their provider without an id on record, by what came of it.",
    ["outcome"],
    registry=REGISTRY,
)
HINTS_RESENT = Counter(
    "headrace_hints_resent_total", "Hints sent by the sweeper.", registry=REGISTRY
)
HINTS_UNKNOWN = Counter(
    "headrace_hints_unknown_total",
    "Hints of a later release that a worker has dropped; the sweeper sends others.",
    registry=REGISTRY,
)
SWEEPS_FAILED = Counter(
    "headrace_sweeps_failed_total",
    "Duties of the sweeper that failed; the others went on.",
    ["duty"],
    registry=REGISTRY,
)
DUTY_LAG = Gauge(
    "headrace_duty_lag_seconds",
    "Time for which a duty of the sweeper or the archiver has been due and is not done.",
    ["duty"],
    registry=REGISTRY,
)
OCCURRENCES = Counter(
    "headrace_trigger_occurrences_total",
    "Occurrences of triggers; `reason` is empty for started and missed ones.",
    ["kind", "status", "reason"],
    registry=REGISTRY,
)
for _kind, _status, _reason in (
    ("schedule", "missed", ""),
    ("schedule", "failed", "unavailable"),
    ("webhook", "failed", "unavailable"),
):  # alert rules see no increase of a series whose first value is not 0
    OCCURRENCES.labels(_kind, _status, _reason)
SCHEDULE_LATENESS = Histogram(
    "headrace_schedule_lateness_seconds",
    "Time from a due time of a schedule to the acceptance of its run.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
    registry=REGISTRY,
)
WAITS_OPENED = Counter(
    "headrace_waits_opened_total",
    "Waits of nodes that began; `kind` is `delay` or `approval`.",
    ["kind"],
    registry=REGISTRY,
)
WAITS_ENDED = Counter(
    "headrace_waits_ended_total",
    "Waits of nodes that ended before their runs; `outcome` is `timeout`, or the decision of the "
    "person who answered.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
WAIT_LATENESS = Histogram(
    "headrace_wait_lateness_seconds",
    "Time from the end of a delay, or of the time to answer, to the node that goes on.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600),
    registry=REGISTRY,
)
PROCESSES = Gauge(
    "headrace_processes",
    "Processes, by version of Headrace and the newest schema of the store that they know.",
    ["version", "schema"],
    registry=REGISTRY,
)
PROCESSES.labels(VERSION, str(SCHEMA)).set(1)
TASKS_RESTARTED = Counter(
    "headrace_background_tasks_restarted_total",
    "Background tasks of a process that failed or ended, and were started again.",
    ["task"],
    registry=REGISTRY,
)


@functools.cache
def node_seconds(node_type: str) -> Histogram:
    """Return the histogram of attempts at nodes of a type."""
    return NODE_SECONDS.labels(node_type)


def snapshot() -> list[Any]:
    """Return this process's samples: [name, type, help, [[sample name, labels, value], …]]."""
    return [
        [m.name, m.type, m.documentation, [[s.name, s.labels, s.value] for s in m.samples]]
        for m in REGISTRY.collect()
    ]


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
