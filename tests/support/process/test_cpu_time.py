"""The bound on CPU time counts the work of the span alone."""

import gc
import time

import pytest

from tests.support.process.cpu_time import cpu_limit, cpu_time


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_span_over_its_limit_fails_with_both_figures() -> None:
    sentence = r"^took \d+\.\d{3} s of CPU time, allowed are 0\.01 s$"

    with pytest.raises(pytest.fail.Exception, match=sentence), cpu_limit(0.01):
        work(0.02)


def test_waiting_does_not_count() -> None:
    with cpu_limit(0.1):
        time.sleep(0.2)


def test_the_collector_rests_in_the_span() -> None:
    with cpu_limit(10):
        before = gc.get_stats()
        kept = [[number] for number in range(100_000)]
        after = gc.get_stats()

    assert len(kept) == 100_000
    assert after == before
    assert gc.isenabled()


def test_an_error_within_the_limit_is_passed_on() -> None:
    with pytest.raises(ValueError, match="of the test"), cpu_limit(10):
        raise ValueError("of the test")

    assert gc.isenabled()


def test_a_span_that_ends_with_an_error_has_the_limit_too() -> None:
    with pytest.raises(pytest.fail.Exception, match="CPU time"), cpu_limit(0.01):
        work(0.02)
        raise ValueError("of the test")


def test_a_span_is_measured() -> None:
    with cpu_time() as measured:
        work(0.02)

    assert 0.02 <= measured.seconds < 5
