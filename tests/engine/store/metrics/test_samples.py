"""Sums and differences of the samples that processes publish."""

from typing import Any

from engine.store.metrics.samples import add_up, bound_label, subtract, without_gauges


def counter(value: float, **labels: str) -> list[Any]:
    return ["runs", "counter", "Runs.", [["runs_total", labels, value]]]


def gauge(value: float) -> list[Any]:
    return ["held", "gauge", "Held.", [["held", {}, value]]]


def test_snapshots_add_up_by_sample_and_labels() -> None:
    found = add_up([[counter(1, tier="pro"), gauge(2)], [counter(3, tier="pro")]])

    assert found == [counter(4, tier="pro"), gauge(2)]


def test_samples_with_other_labels_stay_apart() -> None:
    (family,) = add_up([[counter(1, tier="pro")], [counter(3, tier="lite")]])

    assert family[3] == [["runs_total", {"tier": "pro"}, 1], ["runs_total", {"tier": "lite"}, 3]]


def test_times_of_creation_are_left_out() -> None:
    created = ["runs", "counter", "Runs.", [["runs_created", {}, 1_700_000_000.0]]]

    assert add_up([[created]]) == [["runs", "counter", "Runs.", []]]


def test_a_difference_has_the_later_counts_and_the_current_gauges() -> None:
    assert subtract([counter(5), gauge(2)], [counter(3), gauge(9)]) == [counter(2), gauge(2)]
    assert subtract([counter(5)], []) == [counter(5)]


def test_gauges_do_not_only_grow() -> None:
    assert without_gauges([counter(5), gauge(2)]) == [counter(5)]


def providers(**counts: float) -> list[Any]:
    rows = [["calls_total", {"provider": name}, count] for name, count in counts.items()]
    return ["calls", "counter", "Calls.", rows]


def test_a_label_with_few_values_keeps_them() -> None:
    total = [providers(a=1, b=2, other=4)]

    assert bound_label(total, [], "provider", 2, "other") == total


def test_further_values_of_a_label_are_one() -> None:
    total = [providers(c=1, b=2, a=4, d=8, other=16), counter(5, tier="pro")]

    found = bound_label(total, [], "provider", 2, "other")

    assert found == [providers(other=25, b=2, a=4), counter(5, tier="pro")]


def test_values_that_an_earlier_sum_has_are_kept_before_others() -> None:
    total = [providers(c=1, b=2, a=4, d=8)]

    found = bound_label(total, [providers(d=3, c=1)], "provider", 2, "other")

    assert found == [providers(c=1, other=6, d=8)]
