"""Jumps of Redis's clock, detected from its readings alone."""

import pytest

from workers.recovery.clock import ClockComparison, ClockJumpDetector, ClockReading

STEADY = ClockComparison(is_steady=True)
UNKNOWN = ClockComparison(is_steady=False)


def reading(redis: float, own: float, *, took: float = 0.0) -> ClockReading:
    return ClockReading(redis=redis, before=own, after=own + took)


@pytest.fixture
def detector() -> ClockJumpDetector:
    return ClockJumpDetector(tolerance=0.75, window=3.0)


def test_a_clock_that_goes_on_as_ours_is_steady(detector: ClockJumpDetector) -> None:
    assert not detector.has_reading
    for number in range(100):
        assert detector.compare(reading(1e9 + number * 0.25, 5.0 + number * 0.25)) == STEADY
    assert detector.has_reading


@pytest.mark.parametrize("jump", [4.0, -4.0, 1.0, -1.0])
def test_a_jump_is_seen_once(jump: float, detector: ClockJumpDetector) -> None:
    detector.compare(reading(100.0, 5.0))

    assert detector.compare(reading(100.25 + jump, 5.25)) == ClockComparison(
        is_steady=False, jump=jump
    )
    assert detector.compare(reading(100.5 + jump, 5.5)) == STEADY


def test_a_jump_while_nothing_was_read_is_seen_afterwards(detector: ClockJumpDetector) -> None:
    detector.compare(reading(100.0, 5.0))

    assert detector.compare(reading(164.0, 65.0)).jump == 4.0


@pytest.mark.parametrize("jump", [0.5, -0.5])
def test_small_jumps_add_up(jump: float, detector: ClockJumpDetector) -> None:
    detector.compare(reading(100.0, 5.0))

    assert detector.compare(reading(100.25 + jump, 5.25)) == STEADY
    assert detector.compare(reading(100.5 + 2 * jump, 5.5)).jump == 2 * jump


def test_a_clock_that_is_slowly_corrected_is_steady(detector: ClockJumpDetector) -> None:
    for number in range(4_000):
        own = number * 0.25
        assert detector.compare(reading(100.0 + own * 1.01, own)) == STEADY


def test_a_reading_that_took_long_is_no_jump_but_may_hide_one(detector: ClockJumpDetector) -> None:
    detector.compare(reading(100.0, 5.0))

    assert detector.compare(reading(100.25, 5.25, took=2.0)) == UNKNOWN
    assert detector.compare(reading(102.5, 7.5)) == UNKNOWN  # compared with the one that took long
    assert detector.compare(reading(102.75, 7.75)) == STEADY


def test_a_large_jump_is_distinguished_from_a_slow_reading(detector: ClockJumpDetector) -> None:
    detector.compare(reading(100.0, 5.0))

    assert detector.compare(reading(131.25, 5.25, took=2.0)).jump == pytest.approx(30.0)
