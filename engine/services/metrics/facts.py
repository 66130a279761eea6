"""Metrics of the store's state: read for each page, with a bounded number of reads."""

from typing import Any

from engine.store import Store
from engine.store.archive.no_archive import NoArchive
from engine.store.archive.state import SILENT_MS, HistoryHealth
from engine.store.redis.info import read_memory, read_now
from engine.telemetry.metrics import Declaration, Signal, fact

REDIS_UP = fact("headrace_redis_up", "1 if Redis answers, else 0.", Signal.ERRORS)
REDIS_MEMORY_USED = fact(
    "headrace_redis_memory_used_bytes",
    "Memory of Redis that counts against its limit.",
    Signal.SATURATION,
)
REDIS_MEMORY_LIMIT = fact(
    "headrace_redis_memory_limit_bytes",
    "Limit of Redis's memory (maxmemory), 0 for none.",
    Signal.SATURATION,
)
HINTS_WAITING = fact("headrace_hints_waiting", "Hints that no worker has taken.", Signal.SATURATION)
OLDEST_HINT = fact(
    "headrace_oldest_hint_seconds",
    "Age of the oldest execution with a hint that no worker has begun, 0 for none.",
    Signal.SATURATION,
)
EXECUTIONS_ACTIVE = fact(
    "headrace_executions_active", "Executions that have not ended.", Signal.SATURATION
)
EXECUTIONS_PARKED = fact(
    "headrace_executions_parked",
    "Executions whose next step is over a minute ahead: waits, running children, late retries.",
    Signal.SATURATION,
)
OLDEST_PARKED = fact(
    "headrace_oldest_parked_seconds",
    "Age of the oldest of the parked executions that go on first and last, 0 for none.",
    Signal.SATURATION,
)
EXECUTIONS_DUE = fact(
    "headrace_executions_due",
    "Executions with a scheduled step: hints to send again, retries, waits of nodes.",
    Signal.SATURATION,
)
DUE_LAG = fact(
    "headrace_due_lag_seconds",
    "Time for which the oldest scheduled step of an execution has been overdue, 0 for none.",
    Signal.SATURATION,
)
DELIVERIES_PENDING = fact(
    "headrace_webhook_deliveries_pending",
    "Deliveries of webhooks that wait for their first or next attempt.",
    Signal.SATURATION,
)
OLDEST_DELIVERY = fact(
    "headrace_oldest_delivery_seconds",
    "Time for which the oldest attempt at a delivery has been overdue, 0 for none.",
    Signal.SATURATION,
)
BATCH_ITEMS_QUEUED = fact(
    "headrace_batch_items_queued", "Items of batches that have not begun.", Signal.SATURATION
)
SCHEDULE_LAG = fact(
    "headrace_schedule_due_lag_seconds",
    "Age of the oldest due time of a schedule that no worker has begun.",
    Signal.SATURATION,
)
HISTORY_UP = fact(
    "headrace_history_up",
    "1 if the database of the history works for the archiver, else 0; absent without a database.",
    Signal.ERRORS,
)
HISTORY_WAITING = fact(
    "headrace_history_waiting",
    "Ended executions that are not in the history yet.",
    Signal.SATURATION,
)
HISTORY_LAG = fact(
    "headrace_history_lag_seconds",
    "Age of the oldest end of an execution that is not in the history, 0 for none.",
    Signal.SATURATION,
)
WORKERS_ALIVE = fact("headrace_workers_alive", "Workers with a lease.", Signal.SATURATION)
MEDIA_FREE = fact(
    "headrace_media_free_bytes",
    "Free space on the file system of the media folder.",
    Signal.SATURATION,
)


async def read(store: Store, held: float) -> list[Any]:
    """Return the facts as families of samples; workers hold `held` executions."""
    workers = await store.leases.workers()
    dead = await store.leases.dead_workers()
    memory = await read_memory(store.client)
    due, first_due = await store.leases.due_and_first()
    deliveries, first_delivery = await store.deliveries.due_and_first()
    parked = await store.parked.read()
    history = await store.archiver_states.health()
    now = history.now
    return [
        sample(REDIS_UP, 1),
        sample(REDIS_MEMORY_USED, memory.used),
        sample(REDIS_MEMORY_LIMIT, memory.limit),
        sample(HINTS_WAITING, await store.hints.depth()),
        sample(OLDEST_HINT, await store.oldest_hint.read_seconds()),
        sample(EXECUTIONS_ACTIVE, due + held),
        sample(EXECUTIONS_PARKED, parked.count),
        sample(OLDEST_PARKED, parked.oldest_seconds),
        sample(EXECUTIONS_DUE, due),
        sample(DUE_LAG, _seconds_since(first_due, now)),
        sample(DELIVERIES_PENDING, deliveries),
        sample(OLDEST_DELIVERY, _seconds_since(first_delivery, now)),
        sample(BATCH_ITEMS_QUEUED, await store.feeding.count_queued()),
        sample(SCHEDULE_LAG, await _read_schedule_lag(store)),
        *_history_samples(store, history),
        sample(HISTORY_WAITING, history.executions.count),
        sample(HISTORY_LAG, _seconds_since(history.executions.oldest_at, now)),
        sample(WORKERS_ALIVE, len(set(workers) - set(dead))),
    ]


def sample(declaration: Declaration, value: float) -> list[Any]:
    """Return a fact as a family with one sample."""
    return [declaration.name, "gauge", declaration.text, [[declaration.name, {}, value]]]


def _history_samples(store: Store, health: HistoryHealth) -> list[Any]:
    """Return whether the archiver works with the database; nothing where there is none."""
    state = health.state
    if isinstance(store.archive, NoArchive) and not state.has_begun:
        return []
    is_up = not state.error and health.now - state.seen_at <= SILENT_MS
    return [sample(HISTORY_UP, int(is_up))]


def _seconds_since(at: int | None, now: int) -> float:
    """Return the seconds since a time; 0 for none, and for one that is to come."""
    return 0.0 if at is None else max(0, now - at) / 1_000


async def _read_schedule_lag(store: Store) -> float:
    now = await read_now(store.client)
    first = await store.occurrences.due.first_due(now)
    return 0.0 if first is None else (now - first) / 1000
