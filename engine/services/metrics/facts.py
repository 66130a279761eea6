"""Metrics of the store's state: read for each page, with a bounded number of reads."""

from typing import Any

from engine.store import Store
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
    "Executions that wait without a worker: for a time, an answer, or their children.",
    Signal.SATURATION,
)
OLDEST_PARKED = fact(
    "headrace_oldest_parked_seconds",
    "Age of the oldest execution that waits without a worker, 0 for none.",
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


async def read(store: Store) -> list[Any]:
    """Return the facts as families of samples."""
    workers = await store.leases.workers()
    dead = await store.leases.dead_workers()
    memory = await read_memory(store.client)
    return [
        sample(REDIS_UP, 1),
        sample(REDIS_MEMORY_USED, memory.used),
        sample(REDIS_MEMORY_LIMIT, memory.limit),
        sample(HINTS_WAITING, await store.hints.depth()),
        sample(OLDEST_HINT, await store.oldest_hint.read_seconds()),
        sample(EXECUTIONS_DUE, await store.leases.due()),
        sample(DELIVERIES_PENDING, await store.deliveries.due()),
        sample(BATCH_ITEMS_QUEUED, await store.feeding.count_queued()),
        sample(SCHEDULE_LAG, await _read_schedule_lag(store)),
        sample(HISTORY_WAITING, await store.archiver_states.waiting()),
        sample(WORKERS_ALIVE, len(set(workers) - set(dead))),
    ]


def sample(declaration: Declaration, value: float) -> list[Any]:
    """Return a fact as a family with one sample."""
    return [declaration.name, "gauge", declaration.text, [[declaration.name, {}, value]]]


async def _read_schedule_lag(store: Store) -> float:
    now = await read_now(store.client)
    first = await store.occurrences.due.first_due(now)
    return 0.0 if first is None else (now - first) / 1000
