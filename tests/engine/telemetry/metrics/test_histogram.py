"""Histograms of one thread: the same samples as those of prometheus_client."""

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from engine.telemetry.metrics.histogram import Histogram

BUCKETS = (0.1, 1, 5)
VALUES = (0, 0.05, 0.1, 0.11, 1, 4.9, 5, 6, 1_000)


def samples(registry: CollectorRegistry) -> list[str]:
    text = generate_latest(registry).decode()
    return sorted(line for line in text.splitlines() if "_created" not in line)


def test_samples_are_those_of_the_usual_histogram() -> None:
    usual, own = CollectorRegistry(), CollectorRegistry()
    theirs = prometheus_client.Histogram("h_seconds", "Text.", buckets=BUCKETS, registry=usual)
    ours = Histogram("h_seconds", "Text.", (), BUCKETS)
    own.register(ours)

    for value in VALUES:
        theirs.observe(value)
        ours.observe(value)

    assert samples(own) == samples(usual)


def test_series_are_apart_by_labels() -> None:
    usual, own = CollectorRegistry(), CollectorRegistry()
    theirs = prometheus_client.Histogram(
        "h_seconds", "Text.", ["a", "b"], buckets=BUCKETS, registry=usual
    )
    ours = Histogram("h_seconds", "Text.", ("a", "b"), BUCKETS)
    own.register(ours)

    for labels, value in ((("x", "1"), 0.5), (("x", "2"), 2), (("x", "1"), 7)):
        theirs.labels(*labels).observe(value)
        ours.labels(*labels).observe(value)

    assert samples(own) == samples(usual)


def test_a_series_needs_a_value_of_each_label() -> None:
    with pytest.raises(ValueError, match="has the labels"):
        Histogram("h_seconds", "Text.", ("a",), BUCKETS).labels()
