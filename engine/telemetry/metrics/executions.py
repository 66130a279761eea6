"""Metrics of executions, their nodes and hints, and of the slots and the memory of workers."""

import functools

from prometheus_client import Histogram

from engine.telemetry.metrics.declaring import (
    SECONDS_BUCKETS,
    Signal,
    counter,
    gauge,
    histogram,
)

ENDED = ("completed", "failed", "cancelled")
NODE_TYPES = "[node types](node-types.md)"
HINT_QUEUES = ("walk", "bulk")
CAUSES = ("caller", "provider", "timeout", "money", "internal", "other")

EXECUTIONS_ACCEPTED = counter(
    "headrace_executions_accepted_total", "Accepted executions.", Signal.TRAFFIC
)
EXECUTIONS_ENDED = counter(
    "headrace_executions_ended_total",
    "Executions that ended.",
    Signal.TRAFFIC,
    {"status": ENDED},
)
EXECUTIONS_FAILED = counter(
    "headrace_executions_failed_total",
    "Executions that failed, by the cause that their error's code tells.",
    Signal.ERRORS,
    {"cause": CAUSES},
)
STORAGE_FAILURES = counter(
    "headrace_storage_failures_total",
    "Media and outputs of nodes that could not be stored or read, since their place was away, full "
    "or not permitted. Accounts over their quota of media do not count.",
    Signal.ERRORS,
)
EXECUTION_SECONDS = histogram(
    "headrace_execution_seconds",
    "Time from the acceptance of an execution to its end by a worker, waits of nodes included.",
    Signal.LATENCY,
    {"status": ENDED},
    buckets=(*SECONDS_BUCKETS, 300, 3_600),
)
HINT_WAIT = histogram(
    "headrace_hint_wait_seconds",
    "Time from the acceptance of an execution to its begin at a worker.",
    Signal.LATENCY,
    {"queue": HINT_QUEUES},
    buckets=(*SECONDS_BUCKETS, 300),
)
EXECUTIONS_HELD = gauge(
    "headrace_executions_held", "Executions that workers hold.", Signal.SATURATION
)
WORKER_SLOTS = gauge(
    "headrace_worker_slots",
    "Limit of headrace_executions_held, in all workers together.",
    Signal.SATURATION,
)
EXECUTION_MEMORY = gauge(
    "headrace_execution_memory_bytes",
    "Packed size of the data of executions that workers run.",
    Signal.SATURATION,
)
EXECUTION_MEMORY_LIMIT = gauge(
    "headrace_execution_memory_limit_bytes",
    "Limit of headrace_execution_memory_bytes, in all workers together.",
    Signal.SATURATION,
)
EXECUTIONS_WAITING_FOR_MEMORY = gauge(
    "headrace_executions_waiting_for_memory",
    "Executions that workers hold, and that wait until others hold less.",
    Signal.SATURATION,
)
POOL_BUSY = gauge(
    "headrace_pool_busy",
    "Computations of nodes in child processes of workers.",
    Signal.SATURATION,
)
POOL_SIZE = gauge(
    "headrace_pool_size",
    "Limit of headrace_pool_busy, in all workers together.",
    Signal.SATURATION,
)
NODES_ENDED = counter(
    "headrace_nodes_ended_total",
    "Nodes that ended.",
    Signal.TRAFFIC,
    {"type": NODE_TYPES, "status": "`completed` `failed` `skipped` `cancelled`"},
)
NODE_SECONDS = histogram(
    "headrace_node_seconds",
    "Time of one attempt at a node that does not run in place.",
    Signal.LATENCY,
    {"type": NODE_TYPES},
)
CLAIMS_REFUSED = counter(
    "headrace_claims_refused_total", "Hints that found nothing to claim.", Signal.TRAFFIC
)
EXECUTIONS_LEFT_UNKNOWN = counter(
    "headrace_executions_left_unknown_total",
    "Executions left to other workers, since this one does not know a part of them.",
    Signal.ERRORS,
)
STEPS_FENCED = counter(
    "headrace_steps_fenced_total",
    "Steps refused because the execution had gone to another worker.",
    Signal.ERRORS,
)
STEPS_LOST = counter(
    "headrace_steps_lost_total",
    "Steps refused because Redis had lost earlier ones, as after a failover.",
    Signal.ERRORS,
)
EXECUTIONS_RECOVERED = counter(
    "headrace_executions_recovered_total",
    "Executions taken back from dead workers.",
    Signal.ERRORS,
)
EXECUTIONS_UNWALKED = counter(
    "headrace_executions_unwalked_total",
    "Executions that a living worker held without walking them, given back.",
    Signal.ERRORS,
)
EXECUTIONS_ORPHANED = counter(
    "headrace_executions_orphaned_total",
    "Executions that no worker held and no hint was due for, made due.",
    Signal.ERRORS,
)
HINTS_RESENT = counter("headrace_hints_resent_total", "Hints sent by the sweeper.", Signal.TRAFFIC)
HINTS_UNKNOWN = counter(
    "headrace_hints_unknown_total",
    "Hints of a later release that a worker has dropped; the sweeper sends others.",
    Signal.ERRORS,
)


@functools.cache
def node_seconds(node_type: str) -> Histogram:
    """Return the histogram of attempts at nodes of a type."""
    return NODE_SECONDS.labels(node_type)
