"""Metrics of canaries."""

from engine.telemetry.metrics.declaring import Signal, counter

CANARIES_ROLLED_BACK = counter(
    "headrace_canaries_rolled_back_total",
    "Canaries that were taken back, by the part of their rule that they broke.",
    Signal.ERRORS,
    {"cause": ("errors", "duration")},
)
