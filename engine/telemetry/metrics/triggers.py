"""Metrics of triggers, and of nodes that wait."""

from engine.telemetry.metrics.declaring import Signal, counter, histogram

LATENESS_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600)

OCCURRENCES = counter(
    "headrace_trigger_occurrences_total",
    "Occurrences of triggers; `reason` is empty for started and missed ones.",
    Signal.TRAFFIC,
    {
        "kind": "`schedule` `webhook`",
        "status": "`started` `skipped` `failed` `missed`",
        "reason": "reasons of [skipped and failed occurrences](triggers.md)",
    },
)
for _kind, _status, _reason in (
    ("schedule", "missed", ""),
    ("schedule", "failed", "unavailable"),
    ("webhook", "failed", "unavailable"),
):  # alert rules see no increase of a series whose first value is not 0
    OCCURRENCES.labels(_kind, _status, _reason)
SCHEDULE_LATENESS = histogram(
    "headrace_schedule_lateness_seconds",
    "Time from a due time of a schedule to the acceptance of its run.",
    buckets=LATENESS_BUCKETS,
)
WAITS_OPENED = counter(
    "headrace_waits_opened_total",
    "Waits of nodes that began.",
    Signal.TRAFFIC,
    {"kind": ("delay", "approval")},
)
WAITS_ENDED = counter(
    "headrace_waits_ended_total",
    "Waits of nodes that ended before their runs; `outcome` is `timeout`, or the decision of the "
    "person who answered.",
    Signal.TRAFFIC,
    {"kind": "`delay` `approval`", "outcome": "`timeout` `approve` `refuse`"},
)
WAIT_LATENESS = histogram(
    "headrace_wait_lateness_seconds",
    "Time from the end of a delay, or of the time to answer, to the node that goes on.",
    buckets=LATENESS_BUCKETS,
)
