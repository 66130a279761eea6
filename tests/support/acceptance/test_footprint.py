"""The slope of memory is that of a leak, whatever comes and goes."""

import random

import pytest

from tests.support.acceptance.footprint import Trace


def traced(slope: float, *, step: float = 0.0) -> Trace:
    """Return an hour of a process that grows by so many megabytes, with waves of single calls."""
    draw, trace = random.Random(40), Trace("worker", 1)
    for number in range(360):
        trace.hours.append(number / 360)
        grown = slope * trace.hours[-1] + (step if number > 300 else 0.0)
        trace.megabytes.append(100 + grown + draw.choice([0, 0, 0, 25]) + draw.random())
    return trace


@pytest.mark.parametrize("slope", [0.0, 6.0, -6.0])
def test_waves_of_single_calls_do_not_hide_a_leak(slope: float) -> None:
    assert traced(slope).growth(2 / 3) == pytest.approx(slope, abs=1.0)


def test_a_single_step_is_no_leak() -> None:
    assert abs(traced(0.0, step=5.0).growth(2 / 3)) < 4.0
