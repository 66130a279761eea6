"""Metrics of calls to providers."""

from engine.telemetry.metrics.declaring import (
    LONG_SECONDS_BUCKETS,
    Signal,
    counter,
    gauge,
    histogram,
)

MOST_PROVIDERS = 100
OTHER = "other"
"""Label of all providers beyond `MOST_PROVIDERS`."""
CALLED = f"at most {MOST_PROVIDERS} hosts, then `{OTHER}`"
PROVIDERS = f"{CALLED}; `webhooks` for receivers of webhooks"
OUTCOMES = "`ok` `throttled` `failed` `timeout` `refused`"

PROVIDER_CALLS = counter(
    "headrace_provider_calls_total",
    "Calls to providers that ended: `throttled` by a 429, `failed` at the provider or on the way "
    "to it, `refused` for the request, the key or the balance.",
    Signal.TRAFFIC,
    {"provider": CALLED, "outcome": OUTCOMES},
)
PROVIDER_SECONDS = histogram(
    "headrace_provider_call_seconds",
    "Time of a call to a provider, without the wait for its turn; of a job until its end.",
    Signal.LATENCY,
    {"provider": CALLED},
    buckets=LONG_SECONDS_BUCKETS,
)
PROVIDER_TURN_SECONDS = histogram(
    "headrace_provider_turn_seconds",
    "Time for which a call waited for its turn at a provider with limits, got it or not.",
    Signal.LATENCY,
    {"provider": PROVIDERS},
    buckets=LONG_SECONDS_BUCKETS,
)
PROVIDER_WAITING = gauge(
    "headrace_provider_calls_waiting",
    "Calls to providers that wait for their turn.",
    Signal.SATURATION,
    {"provider": PROVIDERS},
)
PROVIDER_GRANTED = counter(
    "headrace_provider_calls_granted_total",
    "Calls to providers that had their turn.",
    Signal.TRAFFIC,
    {"provider": PROVIDERS},
)
PROVIDER_REFUSED = counter(
    "headrace_provider_calls_refused_total",
    "Calls that providers answered with 429.",
    Signal.ERRORS,
    {"provider": PROVIDERS},
)
PROVIDER_BREAKER = gauge(
    "headrace_provider_breaker_open",
    "Worker processes that fail calls at once because their provider fails.",
    Signal.ERRORS,
    {"provider": PROVIDERS},
)
PROVIDER_JOBS_UNKNOWN = counter(
    "headrace_provider_jobs_unknown_total",
    "Jobs that may have begun at their provider without an id on record, by what came of it.",
    Signal.ERRORS,
    {"outcome": "`failed` `resubmitted`"},
)


_named: set[str] = set()


def provider_label(name: str) -> str:
    """Return the label of a provider: its name, of which a process has at most a hundred."""
    if name in _named:
        return name
    if len(_named) >= MOST_PROVIDERS:
        return OTHER
    _named.add(name)
    return name
