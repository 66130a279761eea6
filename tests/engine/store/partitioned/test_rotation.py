"""Partitions in turn."""

import pytest

from engine.store.partitioned import rotation
from engine.store.partitioned.rotation import Rotation
from tests.support.redis.installation import process_with


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rotation, "time", clock)
    return clock


@pytest.mark.parametrize("count", [1, 15, 16, 17, 1_024])
def test_all_partitions_are_taken_at_first_and_then_once_in_a_period(
    count: int, clock: Clock
) -> None:
    with process_with(count):
        turns = Rotation()
        first = turns.take(2.0)
        taken = []
        for _ in range(8):
            clock.now += 0.25
            taken += turns.take(2.0)

    assert sorted(first) == list(range(count))
    assert set(taken) == set(range(count))
    assert len(taken) == max(count, 8 * min(count, 16))


def test_a_pause_as_long_as_the_period_takes_all(clock: Clock) -> None:
    with process_with(1_024):
        turns = Rotation()
        turns.take(2.0)
        at_once = turns.take(2.0)
        clock.now += 2.0

        assert len(at_once) == 16
        assert sorted(turns.take(2.0)) == list(range(1_024))
