"""Sketches of durations."""

import random
from collections import Counter

import pytest

from engine.history.sketches import bin_of, pack_sketch, quantiles, unpack_sketch


def sketch(durations: list[int]) -> Counter[int]:
    return Counter(map(bin_of, durations))


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.95, 0.99])
def test_a_quantile_is_within_one_percent_of_the_true_one(fraction: float) -> None:
    random.seed(19)
    durations = [int(random.lognormvariate(6, 2)) + 1 for _ in range(5_000)]
    true = sorted(durations)[int(fraction * (len(durations) - 1))]

    assert quantiles(sketch(durations), fraction)[0] == pytest.approx(true, abs=0.01 * true + 0.5)


def test_merged_sketches_are_the_sketch_of_all_durations() -> None:
    one, other = [1, 5, 5, 900], [0, 5, 86_400_000]

    stored = (unpack_sketch(pack_sketch(sketch(each))) for each in (one, other))
    merged = sum(map(Counter, stored), Counter())

    assert merged == sketch(one + other)


def test_durations_below_a_millisecond_count_as_zero() -> None:
    assert quantiles(sketch([0, 0, 0]), 0.5)[0] == 0


def test_no_durations_have_no_quantile() -> None:
    assert quantiles(sketch([]), 0.5)[0] is None
