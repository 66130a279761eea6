"""All metrics that processes count, each in its own registry.

Labels come from small closed sets only.
"""

import functools
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
