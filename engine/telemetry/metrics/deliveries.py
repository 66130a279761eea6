"""Metrics of webhooks."""

from engine.telemetry.metrics.declaring import SECONDS_BUCKETS, Signal, counter, histogram

WEBHOOK_ATTEMPTS = counter(
    "headrace_webhook_attempts_total",
    "Attempts at deliveries of webhooks, by what became of the delivery.",
    Signal.TRAFFIC,
    {"outcome": ("pending", "delivered", "failed")},
)
WEBHOOK_LAG = histogram(
    "headrace_webhook_lag_seconds",
    "Time from an event to the first attempt at its delivery.",
    buckets=(*SECONDS_BUCKETS, 300, 3_600),
)
WEBHOOKS_DISABLED = counter(
    "headrace_webhooks_disabled_total",
    "Webhooks disabled because their receiver is gone or failed for too long.",
    Signal.ERRORS,
)
