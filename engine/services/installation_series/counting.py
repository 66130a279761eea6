"""Samples made of the metrics of all processes: the counts beyond those of the sample before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.store.metrics.installation_sample import (
    ActivityCounts,
    Durations,
    InstallationFacts,
    InstallationSample,
    Latencies,
    NodeTypeSample,
    ProviderSample,
)
from engine.store.metrics.samples import add_up, subtract, without_gauges

MOST_ROWS = 16
"""Most node types, those that took the most time, and most providers, those with most calls."""
FAMILIES = frozenset(
    {
        "headrace_executions_accepted",
        "headrace_executions_ended",
        "headrace_executions_failed",
        "headrace_executions_held",
        "headrace_worker_slots",
        "headrace_http_requests",
        "headrace_http_requests_in_flight",
        "headrace_callers_waiting",
        "headrace_execution_seconds",
        "headrace_hint_wait_seconds",
        "headrace_loop_lag_seconds",
        "headrace_redis_round_trip_seconds",
        "headrace_nodes_ended",
        "headrace_node_seconds",
        "headrace_webhook_attempts",
        "headrace_provider_calls",
        "headrace_provider_call_seconds",
        "headrace_provider_breaker_open",
    }
)
"""Metrics of which samples are made, by the names of their families."""

Labels = Mapping[str, str]


def pick(snapshots: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the sum of snapshots, of the metrics that samples need."""
    return add_up([each for each in snapshot if each[0] in FAMILIES] for snapshot in snapshots)


def counts_of(families: Sequence[Any]) -> list[Any]:
    """Return the families that only grow, without their help: the counts of the next sample."""
    return [[name, kind, "", rows] for name, kind, _, rows in without_gauges(families)]


def make_sample(
    families: Sequence[Any],
    before: Sequence[Any],
    *,
    at: int,
    seconds: float,
    facts: InstallationFacts,
) -> InstallationSample:
    """Return the sample of the counts beyond `before`, with these facts of the store."""
    figures = MetricValues(subtract(families, before))
    return InstallationSample(
        at=at,
        seconds=seconds,
        counts=_counts(figures),
        facts=facts,
        latencies=Latencies(
            execution=figures.durations("headrace_execution_seconds"),
            hint_wait=figures.durations("headrace_hint_wait_seconds"),
            loop_lag=figures.durations("headrace_loop_lag_seconds"),
            redis=figures.durations("headrace_redis_round_trip_seconds"),
        ),
        node_types=_node_types(figures),
        providers=_providers(figures),
    )


class MetricValues:
    """Values of samples of Prometheus's form, by name and labels."""

    def __init__(self, families: Iterable[Any]) -> None:
        self._rows: dict[str, list[tuple[Labels, float]]] = {}
        for _, _, _, rows in families:
            for name, labels, value in rows:
                # A count that went down was lost with its snapshot.
                self._rows.setdefault(name, []).append((labels, max(0.0, value)))

    def total(self, name: str, **wanted: str) -> int:
        """Return the sum of a metric, of the series that have these labels."""
        return round(self.value(name, **wanted))

    def value(self, name: str, **wanted: str) -> float:
        """Return the same sum with its fraction."""
        return sum(value for _, value in self._rows_of(name, wanted))

    def by(self, label: str, name: str, **wanted: str) -> dict[str, int]:
        """Return the sums by the values of a label, without those that are 0."""
        sums: dict[str, float] = {}
        for labels, value in self._rows_of(name, wanted):
            key = labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + value
        return {key: round(value) for key, value in sums.items() if value}

    def durations(self, name: str, **wanted: str) -> Durations:
        """Return the durations of a histogram."""
        cumulative: dict[float, float] = {}
        for labels, value in self._rows_of(f"{name}_bucket", wanted):
            bound = float(labels["le"])
            cumulative[bound] = cumulative.get(bound, 0.0) + value
        count = self.total(f"{name}_count", **wanted)
        if not count:
            return Durations()
        seconds = self.value(f"{name}_sum", **wanted)
        return Durations(count=count, seconds=seconds, buckets=_filled(cumulative))

    def _rows_of(self, name: str, wanted: Labels) -> list[tuple[Labels, float]]:
        rows = self._rows.get(name, [])
        if not wanted:
            return rows
        return [row for row in rows if wanted.items() <= row[0].items()]


def _filled(cumulative: Mapping[float, float]) -> tuple[tuple[float, int], ...]:
    """Return the buckets with values, and the bounds below them."""
    kept: dict[float, int] = {}
    before, lower = 0.0, None
    for bound, value in sorted(cumulative.items()):
        number = round(value - before)
        if number > 0:
            if lower is not None:
                kept.setdefault(lower, 0)
            kept[bound] = number
        before, lower = max(before, value), bound
    return tuple(kept.items())


def _counts(figures: MetricValues) -> ActivityCounts:
    ended = figures.by("status", "headrace_executions_ended_total")
    statuses = figures.by("status", "headrace_http_requests_total")
    attempts = figures.by("outcome", "headrace_webhook_attempts_total")
    return ActivityCounts(
        accepted=figures.total("headrace_executions_accepted_total"),
        completed=ended.get("completed", 0),
        failed=ended.get("failed", 0),
        cancelled=ended.get("cancelled", 0),
        requests=sum(statuses.values()),
        server_errors=sum(n for status, n in statuses.items() if status.startswith("5")),
        deliveries=sum(attempts.values()),
        deliveries_failed=sum(n for outcome, n in attempts.items() if outcome != "delivered"),
        causes=figures.by("cause", "headrace_executions_failed_total"),
    )


def _node_types(figures: MetricValues) -> tuple[NodeTypeSample, ...]:
    completed = figures.by("type", "headrace_nodes_ended_total", status="completed")
    failed = figures.by("type", "headrace_nodes_ended_total", status="failed")
    attempts = figures.by("type", "headrace_node_seconds_count")
    rows = [
        NodeTypeSample(
            type=name,
            completed=completed.get(name, 0),
            failed=failed.get(name, 0),
            durations=figures.durations("headrace_node_seconds", type=name),
        )
        for name in {*completed, *failed, *attempts}
    ]
    rows.sort(key=lambda row: (-row.durations.seconds, -row.failed, row.type))
    return tuple(rows[:MOST_ROWS])


def _providers(figures: MetricValues) -> tuple[ProviderSample, ...]:
    calls = figures.by("provider", "headrace_provider_calls_total")
    busiest = sorted(calls, key=lambda name: (-calls[name], name))[:MOST_ROWS]
    return tuple(
        ProviderSample(
            provider=name,
            outcomes=figures.by("outcome", "headrace_provider_calls_total", provider=name),
            durations=figures.durations("headrace_provider_call_seconds", provider=name),
        )
        for name in busiest
    )
