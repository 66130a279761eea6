"""Metrics of archiving."""

from engine.telemetry.metrics.declaring import Signal, counter

HISTORY_ARCHIVED = counter(
    "headrace_history_archived_total",
    "Records that went to the history: executions, batches, occurrences, deliveries, and so on.",
    Signal.TRAFFIC,
    {"kind": ("executions", "batches", "occurrences", "deliveries", "movements", "acts")},
)
HISTORY_FAILED = counter(
    "headrace_history_failed_total",
    "Attempts at archiving that failed because the database or Redis was away.",
    Signal.ERRORS,
)
