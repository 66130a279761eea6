"""Oracle of due times: looks at each minute, with a parser of its own and plain Python alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct

MINUTE = timedelta(minutes=1)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class Expression(Struct, frozen=True):
    """Values of each field, and the rules that follow from its text."""

    minutes: set[int]
    hours: set[int]
    days: set[int]
    months: set[int]
    weekdays: set[int]
    needs_both_days: bool
    follows_real_time: bool

    def fits(self, local: datetime) -> bool:
        """Return whether a local time fits."""
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and local.month in self.months
            and ((day and weekday) if self.needs_both_days else (day or weekday))
        )


def _number(text: str) -> int:
    upper = text.upper()
    if upper in MONTHS:
        return MONTHS.index(upper) + 1
    return WEEKDAYS.index(upper) if upper in WEEKDAYS else int(text)


def _values(field: str, low: int, high: int) -> Iterator[int]:
    for part in field.split(","):
        body, _, step = part.partition("/")
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = map(_number, body.split("-"))
        else:
            first = _number(body)
            last = high if step else first
        yield from range(first, last + 1, int(step or 1))


def read_expression(text: str) -> Expression:
    """Return an expression of five fields."""
    fields = text.split()
    values = [set(_values(field, *RANGES[i])) for i, field in enumerate(fields)]
    values[4] = {each % 7 for each in values[4]}
    return Expression(
        *values,
        needs_both_days=fields[2].startswith("*") or fields[4].startswith("*"),
        follows_real_time=fields[0].startswith("*") or fields[1].startswith("*"),
    )


def due_times(text: str, zone: tzinfo, start: datetime, end: datetime) -> list[datetime]:
    """Return the due times after `start` and before `end`, both whole minutes of UTC."""
    expression = read_expression(text)
    due = []
    at = start
    before = at.astimezone(zone).replace(tzinfo=None)
    seen = before
    """Latest local time so far, whose minute and the ones before it are not due again."""
    at += MINUTE
    while at < end:
        local = at.astimezone(zone).replace(tzinfo=None)
        if expression.follows_real_time:
            is_due = expression.fits(local)
        else:
            minutes = int((local - seen) / MINUTE)  # several after a skip, none or less in doubled
            is_due = any(
                expression.fits(seen + number * MINUTE) for number in range(1, minutes + 1)
            )
            seen = max(seen, local)
        if is_due:
            due.append(at.astimezone(UTC))
        at += MINUTE
    return due
