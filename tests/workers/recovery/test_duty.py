"""Schedules of duties: when they are due, and how long they have been behind."""

from collections.abc import Iterator

import pytest

from engine.telemetry import metrics
from workers.recovery import duty as duties
from workers.recovery.duty import Duty, ScheduledDuty


class Scripted(Duty):
    """Duty whose runs end as the test says: with more to do, done, or with an error."""

    name = "scripted"
    interval_seconds = 60.0

    def __init__(self, *outcomes: bool | Exception) -> None:
        self._outcomes: Iterator[bool | Exception] = iter(outcomes)

    async def run(self) -> bool:
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic time of duties, which passes by hand; loops in other threads have their own."""
    now = [1_000.0]
    monkeypatch.setattr(duties, "monotonic", lambda: now[0])
    return now


def lag() -> float | None:
    return metrics.REGISTRY.get_sample_value("headrace_duty_lag_seconds", {"duty": "scripted"})


async def test_a_pass_goes_on_at_once_and_the_next_begins_after_the_interval(
    clock: list[float],
) -> None:
    duty = ScheduledDuty(Scripted(True, False, False))

    await duty.run()
    assert duty.is_due()
    await duty.run()
    assert not duty.is_due()
    clock[0] += 60
    assert duty.is_due()


async def test_the_lag_is_the_time_since_which_a_pass_is_due(clock: list[float]) -> None:
    duty = ScheduledDuty(Scripted(False, True, ValueError("a bug"), False))
    lags = []
    for seconds in (0, 65, 10, 60):
        clock[0] += seconds
        await duty.attempt()
        lags.append(lag())

    assert lags == [0.0, 5.0, 15.0, 0.0]


async def test_a_duty_that_fails_is_still_due_and_after_an_attempt_due_again_later(
    clock: list[float],
) -> None:
    duty = ScheduledDuty(Scripted(ValueError("a bug"), ValueError("a bug")))

    with pytest.raises(ValueError, match="a bug"):
        await duty.run()
    assert duty.is_due()
    await duty.attempt()
    assert not duty.is_due()
    clock[0] += 60
    assert duty.is_due()


async def test_a_follower_has_no_lag_nor_has_a_new_leader(clock: list[float]) -> None:
    duty = ScheduledDuty(Scripted(True))
    clock[0] += 100
    duty.show_lag()
    assert lag() == 100.0

    duty.rest()
    assert lag() == 0.0
    await duty.run()
    assert lag() == 0.0
