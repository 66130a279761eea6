from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise, takewhile
from operator import ge

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidTrigger
from engine.triggers.cron import NAMES, parse_cron
from engine.triggers.zones import load_zone
from tests.support.triggers.cron_oracle import due_times

CHANGES = (
    ("Europe/Berlin", datetime(2027, 3, 28, 1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("America/New_York", datetime(2027, 3, 14, 7)),
    ("America/New_York", datetime(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, 15)),
    ("America/Santiago", datetime(2026, 9, 6, 4)),
    ("America/Santiago", datetime(2027, 4, 4, 3)),
    ("Africa/Cairo", datetime(2027, 4, 29, 22)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10)),
)
"""Zones with a change of their clocks: by an hour, half of one, at midnight, over a day."""
USUAL = (
    "* * * * *",
    "*/30 * * * *",
    "0 * * * *",
    "15 */2 * * *",
    "30 2 * * *",
    "0,20,40 2 * * *",
    "0,30 1-3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "0 23 * * *",
    "5 23,0,1 * * mon-fri",
    "* 0 * * *",
    "*/10 1 * * *",
    "*/30 1 6 9 *",
    "0 3 1,29,30 * 0",
    "45 1-2 * 3,9,10,11 */2",
    "59 23 30 * *",
)

numbers = st.integers


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    one = numbers(low, high).map(str)
    span = st.tuples(numbers(low, high), numbers(low, high)).map(
        lambda pair: f"{min(pair)}-{max(pair)}"
    )
    every = st.just("*")
    step = numbers(1, high).map(str)
    wide = span.filter(lambda text: len(set(text.split("-"))) == 2)  # cronsim takes 5-5/2 for 5/2
    stepped = st.tuples(st.one_of(every, wide), step).map("/".join)
    listed = st.lists(st.one_of(one, span), min_size=1, max_size=3).map(",".join)
    return st.one_of(every, every, one, span, stepped, listed)


expressions = st.tuples(
    _field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 7)
).map(" ".join)


def _ms(at: datetime) -> int:
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)


def _found(expression: str, zone: str, start: datetime, end: datetime) -> list[int]:
    times = parse_cron(expression, zone).all_after(_ms(start))
    return list(takewhile(lambda at: at < _ms(end), times))


def _expected(expression: str, zone: str, start: datetime, end: datetime) -> list[int]:
    span = start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    return [_ms(each) for each in due_times(expression, load_zone(zone), *span)]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]}-{change[1]:%y%m}")
@pytest.mark.parametrize("expression", USUAL)
def test_due_times_over_a_change_of_clocks_are_those_of_the_oracle(
    expression: str, change: tuple[str, datetime]
) -> None:
    zone, at = change
    start, end = at - timedelta(hours=50), at + timedelta(hours=50)

    assert _found(expression, zone, start, end) == _expected(expression, zone, start, end)


@given(expressions, st.sampled_from(CHANGES), numbers(1, 120))
def test_due_times_of_any_expression_are_those_of_the_oracle(
    expression: str, change: tuple[str, datetime], minutes: int
) -> None:
    zone, at = change
    start, end = at - timedelta(minutes=minutes), at + timedelta(hours=30)
    try:
        found = _found(expression, zone, start, end)
    except InvalidTrigger:  # such as the 31 February
        found = []

    assert found == _expected(expression, zone, start, end)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]}-{change[1]:%y%m}")
@pytest.mark.parametrize("expression", USUAL)
def test_each_due_time_follows_from_the_one_before(
    expression: str, change: tuple[str, datetime]
) -> None:
    zone, at = change
    times = parse_cron(expression, zone)
    due = times.after(_ms(at - timedelta(hours=50)), 300)

    assert all(times.after(one, 1) == [other] for one, other in pairwise(due))
    halves = [times.after(one + (other - one) // 2, 1) for one, other in pairwise(due)]
    assert halves == [[other] for other in due[1:]]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
@pytest.mark.parametrize("expression", USUAL)
def test_where_clocks_change_by_an_hour_cronsim_agrees(expression: str, zone: str) -> None:
    for start in (datetime(2026, 10, 20), datetime(2027, 3, 10)):
        local = start.replace(tzinfo=UTC).astimezone(load_zone(zone))
        theirs = CronSim(expression, local)
        expected = [_ms(next(theirs).astimezone(UTC)) for _ in range(1_000)]

        assert parse_cron(expression, zone).after(_ms(start), 1_000) == expected


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]}-{change[1]:%y%m}")
@pytest.mark.parametrize("expression", USUAL)
def test_the_number_and_the_last_ones_are_those_of_all_due_times(
    expression: str, change: tuple[str, datetime]
) -> None:
    zone, at = change
    times = parse_cron(expression, zone)
    for hours in (1, 30, 24 * 40):
        first, last = _ms(at - timedelta(hours=hours)) + 7, _ms(at + timedelta(hours=hours))
        until = partial(ge, last)
        due = list(takewhile(until, times.all_after(first - 1)))

        assert times.count(first, last) == len(due)
        assert times.latest(first, last, 20) == due[-20:]


def test_both_ends_of_a_count_are_included() -> None:
    times = parse_cron("0 12 * * *", "UTC")
    noon = _ms(datetime(2026, 5, 1, 12))

    assert times.count(noon, noon) == 1
    assert times.count(noon + 1, noon + 86_400_000) == 1
    assert times.count(noon + 1, noon + 86_399_999) == 0
    assert times.latest(noon, noon, 5) == [noon]


@pytest.mark.parametrize(("name", "expression"), NAMES.items())
def test_names_stand_for_expressions(name: str, expression: str) -> None:
    start = _ms(datetime(2026, 11, 30, 12, 34))

    assert parse_cron(name, "UTC").after(start, 5) == parse_cron(expression, "UTC").after(start, 5)


def test_weekly_is_sunday_and_yearly_the_first_of_january() -> None:
    start = _ms(datetime(2026, 11, 30))

    assert parse_cron("@weekly", "UTC").after(start, 1) == [_ms(datetime(2026, 12, 6))]
    assert parse_cron("@yearly", "UTC").after(start, 1) == [_ms(datetime(2027, 1, 1))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("*/10 * * * * *", "none for seconds"),
        ("0 * * * * * *", "five fields"),
        ("@every 5m", "@hourly"),
        ("@reboot", "@hourly"),
        ("@Daily", "@hourly"),
        ("60 * * * *", "'minute' of the cron expression cannot be '60'"),
        ("0 24 * * *", "'hour' of the cron expression cannot be '24'"),
        ("0 0 32 * *", "'day-of-month' of the cron expression cannot be '32'"),
        ("0 0 * 13 *", "'month' of the cron expression cannot be '13'"),
        ("0 0 * * 8", "'day-of-week' of the cron expression cannot be '8'"),
        ("*/0 * * * *", "'minute' of the cron expression cannot be '*/0'"),
        ("*/100 * * * *", "step 100 of the field 'minute' is over 60"),
        ("0 0 30 2 *", "'day-of-month' of the cron expression cannot be '30'"),
        ("* * */31 * 1#5", "No time ever"),
        ("0 0 * * five", "'day-of-week' of the cron expression cannot be 'five'"),
        ("5-1 * * * *", "'minute' of the cron expression cannot be '5-1'"),
        ("٣ * * * *", "'minute'"),
        ("0," * 200 + "0 * * * *", "256 characters"),
        ("\x00 * * * *", "'minute'"),
    ],
)
def test_wrong_expressions_are_refused_with_their_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidTrigger) as refused:
        parse_cron(text, "UTC")

    assert refused.value.context["field"] == "cron"
    assert reason in refused.value.context["reason"]


@given(st.text(alphabet="0123456789*/,-#LW@ aAmonDEC", max_size=40))
def test_no_text_has_another_outcome_than_due_times_or_a_refusal(text: str) -> None:
    try:
        times = parse_cron(text, "Europe/Berlin")
    except InvalidTrigger:
        return
    assert len(times.after(0, 3)) <= 3
