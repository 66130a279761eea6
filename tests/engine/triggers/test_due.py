from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.triggers.cron import parse_cron
from engine.triggers.due import (
    LATE_MS,
    MOST_MISSED,
    MOST_STARTED,
    DueTimes,
    MissedTime,
    next_due,
    plan_due,
)
from engine.triggers.trigger import Missed

MINUTE = 60_000
NOON = round(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)
EACH_MINUTE = parse_cron("* * * * *", "UTC")


def plan(missed: Missed, now: int, next_at: int = NOON, since: int = 0) -> DueTimes:
    return plan_due(EACH_MINUTE, missed, next_at=next_at, since=since, now=now)


def minutes(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(NOON + number * MINUTE for number in numbers)


@pytest.mark.parametrize("missed", Missed)
def test_nothing_is_due_before_its_time(missed: Missed) -> None:
    assert plan(missed, NOON - 1) == DueTimes()


@pytest.mark.parametrize("missed", Missed)
@pytest.mark.parametrize("late", [0, 1, LATE_MS - 1])
def test_a_due_time_of_the_last_minute_starts(missed: Missed, late: int) -> None:
    assert plan(missed, NOON + late) == DueTimes(started=(NOON,))


@pytest.mark.parametrize("missed", Missed)
def test_two_due_times_of_the_last_minute_both_start(missed: Missed) -> None:
    assert plan(missed, NOON + LATE_MS) == DueTimes(started=minutes([0, 1]))


def test_of_missed_times_the_last_one_starts_by_default() -> None:
    yearly = parse_cron("0 12 30 11 *", "UTC")
    late = NOON + 40 * MINUTE

    assert plan_due(yearly, Missed.LAST, next_at=NOON, since=0, now=late) == DueTimes(
        started=(NOON,)
    )
    assert plan(Missed.LAST, NOON + 2 * MINUTE + 5) == DueTimes(
        missed=(MissedTime(NOON), MissedTime(NOON + MINUTE)), started=(NOON + 2 * MINUTE,)
    )


def test_missed_times_may_all_be_left_out() -> None:
    yearly = parse_cron("0 12 30 11 *", "UTC")
    late = NOON + LATE_MS + 1

    assert plan_due(yearly, Missed.SKIP, next_at=NOON, since=0, now=late) == DueTimes(
        missed=(MissedTime(NOON),)
    )
    assert plan(Missed.SKIP, NOON + 3 * MINUTE) == DueTimes(
        missed=tuple(map(MissedTime, minutes(range(2)))), started=minutes([2, 3])
    )


def test_of_many_missed_times_the_newest_hundred_start_in_their_order() -> None:
    now = NOON + 250 * MINUTE

    due = plan(Missed.ALL, now)

    # Two of the last minute are not missed.
    assert due.started == minutes(range(149, 251))
    assert due.missed == tuple(map(MissedTime, minutes(range(149))))


@pytest.mark.parametrize("missed", Missed)
@pytest.mark.parametrize("count", [999, 1000, 1001, 1002, 1003, 1100, 1105, 1500, 100_000])
def test_the_oldest_of_over_a_thousand_missed_times_have_one_occurrence(
    missed: Missed, count: int
) -> None:
    due = plan(missed, NOON + (count - 1) * MINUTE + 1)

    assert sum(each.count for each in due.missed) + len(due.started) == count
    assert all(each.count == 1 for each in due.missed[1:])
    assert len(due.missed) == min(count - len(due.started), MOST_MISSED + 1)
    assert due.missed[0].at == NOON
    followers = [each.at for each in due.missed[1:]] + list(due.started)
    assert tuple(followers) == minutes(range(due.missed[0].count, count))


def test_a_due_time_of_former_settings_keeps_its_place() -> None:
    hourly = parse_cron("30 * * * *", "UTC")
    odd = NOON + 7 * MINUTE

    due = plan_due(hourly, Missed.ALL, next_at=odd, since=odd + 5, now=NOON + 100 * MINUTE)

    assert due == DueTimes(started=minutes([7, 30, 90]))


def test_settings_count_from_their_time_on() -> None:
    since = NOON + 10 * MINUTE

    due = plan(Missed.ALL, NOON + 12 * MINUTE + 1, since=since)

    assert due.started == minutes([0, 11, 12])
    assert next_due(EACH_MINUTE, at=NOON, since=since) == since + MINUTE
    assert next_due(EACH_MINUTE, at=since + MINUTE, since=since) == since + 2 * MINUTE


def test_settings_of_the_future_give_nothing_yet() -> None:
    assert plan(Missed.ALL, NOON + MINUTE, since=NOON + 60 * MINUTE).started == (NOON,)


expressions = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "5 * * * *", "0 0 * * *", "30 2 * * *", "0 */3 * * mon-fri"]
)


@given(
    expressions,
    st.sampled_from(Missed),
    st.integers(0, 30 * 24 * 60 * MINUTE),
    st.integers(0, 24 * 60 * MINUTE),
)
def test_each_due_time_has_one_place_in_the_plan(
    expression: str, missed: Missed, later: int, begin: int
) -> None:
    times = parse_cron(expression, "Europe/Berlin")
    start = NOON + begin
    first = times.after(start, 1)[0]
    now = start + later
    everything = []
    for at in times.all_after(start):
        if at > now:
            break
        everything.append(at)

    due = plan_due(times, missed, next_at=first, since=start, now=now)

    singles = [each.at for each in due.missed if each.count == 1] + list(due.started)
    folded = everything[: len(everything) - len(singles)]
    assert everything == folded + singles
    assert sum(each.count for each in due.missed if each.count > 1) == len(folded)
    on_time = [at for at in everything if now - at <= LATE_MS]
    late = [at for at in everything if now - at > LATE_MS]
    begun = {
        Missed.SKIP: [],
        Missed.LAST: late[-1:] if not on_time else [],
        Missed.ALL: late[-MOST_STARTED:],
    }[missed]
    assert list(due.started) == begun + on_time
