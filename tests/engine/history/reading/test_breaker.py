"""Refusals after a failure."""

import pytest

from engine.history.reading import breaker as module
from engine.history.reading.breaker import Breaker


class Clock:
    """Clock that a test sets."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def tries(breaker: Breaker) -> bool:
    """Return whether a call is taken, and begin it."""
    if breaker.is_open():
        return False
    breaker.begin()
    return True


def test_after_a_pause_one_call_tries_and_the_others_are_refused(clock: Clock) -> None:
    breaker = Breaker(pause=1.0, patience=8.0)
    assert tries(breaker)

    breaker.fail()
    clock.now += 0.9
    assert not tries(breaker)
    clock.now += 0.1

    assert [tries(breaker) for _ in range(3)] == [True, False, False]
    clock.now += 8.0
    assert [tries(breaker) for _ in range(2)] == [True, False]
    breaker.succeed()
    assert tries(breaker)


def test_a_try_that_told_nothing_leaves_it_to_another(clock: Clock) -> None:
    breaker = Breaker(pause=1.0, patience=8.0)
    breaker.abandon()
    assert tries(breaker)
    breaker.fail()
    clock.now += 1.0
    assert tries(breaker)

    breaker.abandon()
    clock.now += 1.0

    assert tries(breaker)


def test_a_try_that_fails_begins_another_pause(clock: Clock) -> None:
    breaker = Breaker(pause=1.0, patience=8.0)
    breaker.fail()
    clock.now += 1.0
    assert tries(breaker)

    breaker.fail()

    assert not tries(breaker)
    clock.now += 1.0
    assert tries(breaker)
