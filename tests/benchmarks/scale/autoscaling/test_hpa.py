"""Decisions of the simulated autoscaler, against those that Kubernetes documents."""

from collections.abc import Sequence

import pytest

from tests.benchmarks.scale.autoscaling.hpa import (
    Autoscaler,
    Limits,
    MetricType,
    Policy,
    Rules,
    Trigger,
)

AGE = Trigger(query="age", threshold=2, metric_type=MetricType.VALUE)
HELD = Trigger(query="held", threshold=6, metric_type=MetricType.AVERAGE_VALUE)
AT_ONCE = Rules(window_seconds=0, policies=[Policy(percent=1_000, period_seconds=15)])
DOUBLING = Rules(
    window_seconds=0,
    policies=[Policy(percent=100, period_seconds=15), Policy(pods=2, period_seconds=15)],
)
ONE_A_MINUTE = Rules(window_seconds=300, policies=[Policy(pods=1, period_seconds=60)])


def scaler(
    *triggers: Trigger, up: Rules = AT_ONCE, down: Rules = ONE_A_MINUTE, most: int = 100
) -> Autoscaler:
    return Autoscaler(triggers or (AGE,), Limits(fewest=1, most=most, up=up, down=down))


@pytest.mark.parametrize(
    ("age", "current", "wanted"),
    [
        (0, 1, 1),
        (2, 4, 4),
        (1.85, 4, 4),
        (2.15, 4, 4),
        (2.25, 4, 5),
        (4, 4, 8),
        (3, 3, 5),
        (300, 2, 22),
    ],
)
def test_the_ratio_of_the_age_multiplies_the_workers(age: float, current: int, wanted: int) -> None:
    assert scaler().decide(0, [age], current, current) == wanted


@pytest.mark.parametrize(
    ("held", "current", "wanted"), [(0, 1, 1), (6, 1, 1), (13, 1, 3), (13, 2, 2), (60, 4, 10)]
)
def test_an_average_is_over_the_workers(held: float, current: int, wanted: int) -> None:
    assert scaler(HELD).decide(0, [held], current, current) == wanted


def test_workers_that_are_not_ready_do_not_multiply() -> None:
    """Else each worker that starts would start others before it could help."""
    assert scaler().decide(0, [4], 4, 1) == 4
    assert scaler().decide(0, [20], 4, 1) == 10


def test_the_trigger_that_wants_most_decides() -> None:
    assert scaler(AGE, HELD).decide(0, [0, 24], 4, 4) == 4
    assert scaler(AGE, HELD).decide(0, [8, 24], 4, 4) == 16


def test_a_query_without_an_answer_ends_no_worker() -> None:
    assert scaler().decide(0, [None], 4, 4) == 4
    assert scaler(AGE, HELD, down=AT_ONCE).decide(0, [0, None], 4, 4) == 4
    assert scaler(AGE, HELD).decide(0, [8, None], 4, 4) == 16


def test_the_number_of_workers_is_bounded() -> None:
    assert scaler(most=6).decide(0, [8], 4, 4) == 6


def test_the_largest_policy_bounds_the_start_of_workers() -> None:
    scaling = scaler(up=DOUBLING)

    counts = _decide(scaling, [(0, 60), (5, 60), (15, 60), (30, 60)], 1)

    assert counts == [3, 3, 6, 12]


def test_workers_end_after_the_window_and_one_by_one() -> None:
    scaling = scaler()

    counts = _decide(scaling, [(at, 4 if at == 0 else 0) for at in range(0, 600, 60)], 2)

    assert counts == [4, 4, 4, 4, 4, 3, 2, 1, 1, 1]


def test_a_window_for_starts_passes_over_a_short_peak() -> None:
    patient = Rules(window_seconds=30, policies=AT_ONCE.policies)
    scaling = scaler(up=patient)

    assert _decide(scaling, [(0, 0), (15, 40), (29, 40), (45, 40)], 1) == [1, 1, 1, 11]


def test_a_percentage_ends_as_many_as_it_says() -> None:
    half = Rules(window_seconds=0, policies=[Policy(percent=50, period_seconds=60)])

    assert _decide(scaler(down=half), [(0, 0), (30, 0), (60, 0), (120, 0)], 9) == [4, 4, 2, 1]


def _decide(scaling: Autoscaler, samples: Sequence[tuple[float, float]], current: int) -> list[int]:
    counts = []
    for at, age in samples:
        current = scaling.decide(at, [age], current, current)
        counts.append(current)
    return counts
