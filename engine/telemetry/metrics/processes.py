"""Metrics of processes: memory, CPU, lag, Redis's answers, background tasks, logs and spans."""

from importlib.metadata import version

from prometheus_client import Counter

from engine.telemetry.metrics.declaring import Signal, counter, gauge, histogram

VERSION = version("headrace")
PARTS = ("gateway", "worker", "archiver")
"""Values of the label `part`; a process has the series of its own part alone."""
_PART = " ".join(f"`{part}`" for part in PARTS)
ROUND_TRIP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5)

PROCESSES = gauge(
    "headrace_processes",
    "Processes, by version of Headrace and the newest schema of the store that they know.",
    Signal.TRAFFIC,
    {"version": "versions that run", "schema": "numbers of schemas"},
)
PROCESS_MEMORY = gauge(
    "headrace_process_memory_bytes",
    "Resident memory of the processes of a part, without their child processes.",
    Signal.SATURATION,
    {"part": _PART},
)
PROCESS_CPU = counter(
    "headrace_process_cpu_seconds_total",
    "CPU time of the processes of a part, ended child processes included.",
    Signal.SATURATION,
    {"part": _PART},
)
PROCESS_FILES = gauge(
    "headrace_process_open_files",
    "Open file descriptors of the processes of a part.",
    Signal.SATURATION,
    {"part": _PART},
)
LOOP_LAG = histogram(
    "headrace_loop_lag_seconds",
    "Delay of a timer of the event loop, four times a second in each process.",
    Signal.SATURATION,
    {"part": _PART},
)
REDIS_ROUND_TRIP = histogram(
    "headrace_redis_round_trip_seconds",
    "Time of a PING to Redis, about once a second in each process.",
    Signal.LATENCY,
    {"part": _PART},
    buckets=ROUND_TRIP_BUCKETS,
)
REDIS_ERRORS = counter(
    "headrace_redis_errors_total",
    "Calls of the store that failed because Redis was away.",
    Signal.ERRORS,
    {"part": _PART},
)
SWEEPS_FAILED = counter(
    "headrace_sweeps_failed_total",
    "Duties of the sweeper that failed; the others went on.",
    Signal.ERRORS,
    {"duty": "duties of the sweeper"},
)
DUTY_LAG = gauge(
    "headrace_duty_lag_seconds",
    "Time for which a duty of the sweeper or the archiver has been due and is not done.",
    Signal.SATURATION,
    {"duty": "duties of the sweeper and the archiver"},
)
TASKS_RESTARTED = counter(
    "headrace_background_tasks_restarted_total",
    "Background tasks of a process that failed or ended, and were started again.",
    Signal.ERRORS,
    {"task": "background tasks"},
)


class _OwnPart:
    """Part that this process is; a command is none, and counts none of its errors."""

    redis_errors: Counter | None = None


def name_part(part: str) -> None:
    """Note the part that this process is."""
    _OwnPart.redis_errors = REDIS_ERRORS.labels(part)


def count_redis_error() -> None:
    """Count a call of the store that failed because Redis was away."""
    if _OwnPart.redis_errors is not None:
        _OwnPart.redis_errors.inc()


LOG_LINES_DROPPED = counter(
    "headrace_log_lines_dropped_total",
    "Lines of the access log and the log of executions that were not written.",
    Signal.ERRORS,
    {"log": ("access", "execution")},
)
SPANS_EXPORTED = counter(
    "headrace_spans_exported_total", "Spans that a collector has taken.", Signal.TRAFFIC
)
SPANS_DROPPED = counter(
    "headrace_spans_dropped_total",
    "Spans that no collector has: `queue_full`, no space for more of their account; "
    "`export_failed`, the collector did not take them; `too_many`, one execution has more; "
    "`unread`, the record of the execution could not be read; `process_end`.",
    Signal.ERRORS,
    {"reason": ("queue_full", "export_failed", "too_many", "unread", "process_end")},
)
