"""Samples are made of the counts since the sample before."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from engine.services.installation_series.counting import (
    FAMILIES,
    MOST_ROWS,
    MetricValues,
    counts_of,
    make_sample,
    pick,
)
from engine.store.metrics.installation_sample import InstallationFacts, InstallationSample
from engine.telemetry.metrics import REGISTRY

NODES = 40


class Process:
    """Metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        make = {"registry": self.registry}
        self.ended = Counter("headrace_executions_ended_total", "", ["status"], **make)
        self.requests = Counter("headrace_http_requests_total", "", ["status"], **make)
        self.nodes = Counter("headrace_nodes_ended_total", "", ["type", "status"], **make)
        self.seconds = Histogram("headrace_node_seconds", "", ["type"], buckets=(1, 5), **make)
        self.calls = Counter("headrace_provider_calls_total", "", ["provider", "outcome"], **make)
        self.held = Gauge("headrace_executions_held", "", **make)
        self.other = Counter("headrace_hints_resent_total", "", **make)

    def snapshot(self) -> list[Any]:
        """Return the samples as processes publish them."""
        return [
            [m.name, m.type, m.documentation, [[s.name, s.labels, s.value] for s in m.samples]]
            for m in self.registry.collect()
        ]


def between(process: Process, before: list[Any]) -> InstallationSample:
    families = pick([process.snapshot()])
    return make_sample(families, before, at=20_000, seconds=10.0, facts=InstallationFacts())


def test_a_sample_has_the_counts_since_the_one_before() -> None:
    process = Process()
    process.ended.labels("completed").inc(5)
    before = counts_of(pick([process.snapshot()]))
    process.ended.labels("completed").inc(2)
    process.ended.labels("failed").inc()
    process.requests.labels("200").inc(3)
    process.requests.labels("503").inc()
    process.calls.labels("openai", "ok").inc(4)
    process.calls.labels("openai", "throttled").inc()

    found = between(process, before)

    assert (found.counts.completed, found.counts.failed) == (2, 1)
    assert (found.counts.requests, found.counts.server_errors) == (4, 1)
    [provider] = found.providers
    assert (provider.provider, provider.outcomes) == ("openai", {"ok": 4, "throttled": 1})


def test_durations_have_their_filled_buckets_and_the_bound_below() -> None:
    process = Process()
    process.seconds.labels("llm").observe(3)
    process.nodes.labels("llm", "completed").inc()

    [row] = between(process, []).node_types

    assert (row.type, row.completed) == ("llm", 1)
    assert row.durations.buckets == ((1.0, 0), (5.0, 1))
    assert (row.durations.count, row.durations.seconds) == (1, 3)


def test_idle_types_and_providers_are_no_rows() -> None:
    process = Process()
    process.nodes.labels("llm", "completed").inc()
    process.calls.labels("openai", "ok").inc()
    before = counts_of(pick([process.snapshot()]))

    found = between(process, before)

    assert (found.node_types, found.providers) == ((), ())


def test_of_many_rows_those_that_took_most_are_kept() -> None:
    process = Process()
    for number in range(NODES):
        process.seconds.labels(f"type{number}").observe(number)
        process.calls.labels(f"provider{number}", "ok").inc(number)

    found = between(process, [])

    assert [row.type for row in found.node_types] == [
        f"type{number}" for number in reversed(range(NODES - MOST_ROWS, NODES))
    ]
    assert len(found.providers) == MOST_ROWS
    assert found.providers[0].calls == NODES - 1


def test_a_count_that_was_lost_counts_nothing() -> None:
    process = Process()
    process.ended.labels("completed").inc(5)
    before = counts_of(pick([process.snapshot()]))

    assert between(Process(), before).counts.completed == 0


def test_gauges_are_of_all_processes_and_in_no_counts() -> None:
    processes = Process(), Process()
    for each in processes:
        each.held.set(3)

    families = pick(each.snapshot() for each in processes)

    assert MetricValues(families).total("headrace_executions_held") == 6
    assert "headrace_executions_held" not in {name for name, *_ in counts_of(families)}


def test_metrics_that_samples_do_not_need_are_left_out() -> None:
    assert "headrace_hints_resent" not in {name for name, *_ in pick([Process().snapshot()])}


def test_the_families_that_samples_need_are_declared() -> None:
    assert {metric.name for metric in REGISTRY.collect()} >= FAMILIES
