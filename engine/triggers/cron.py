"""Cron expressions of schedules, and their due times.

`cronsim` reads the expressions and finds the local times that fit; it is given local times alone.
Changes of clocks follow Debian's cron, as in `cronsim` itself, which goes wrong where clocks change
by half an hour or at midnight:

- Where the field of minutes or hours begins with `*`, the schedule follows real time: each minute
  whose local time fits is due, doubled ones twice, skipped ones never.
- Other local times are due once: doubled ones at the first, skipped ones at the moment of the
  change, several of them once.
"""

import functools
import heapq
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import islice, takewhile
from types import MappingProxyType

from cronsim import CronSim, CronSimError

from engine.errors import InvalidTrigger
from engine.triggers.zones import find_offsets, first_instant, load_zone, local_time, offset_at

NAMES = MappingProxyType(
    {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
    }
)
FIELDS = MappingProxyType(
    {"minute": 60, "hour": 24, "day-of-month": 31, "month": 12, "day-of-week": 7}
)
"""Fields of an expression, with the number of their values."""
MOST_CHARACTERS = 256
MOST_KNOWN = 4_000
"""Expressions that a process keeps."""
EPOCH = datetime(1970, 1, 1)
SINCE = datetime(2026, 1, 1)
MILLISECOND = timedelta(milliseconds=1)
MINUTE_MS = 60_000
DAY = timedelta(days=1)
NEAR_CHANGE = timedelta(hours=26)
"""Time around a change of clocks that it may concern: zones have skipped a whole day."""


class CronTimes:
    """Due times of an expression in a time zone, in milliseconds since the epoch."""

    def __init__(self, expression: str, zone: tzinfo) -> None:
        """`expression` has five fields. Raises CronSimError."""
        self._expression = expression
        self._zone = zone
        self._fields = CronSim(expression, SINCE)
        minutes, hours, *_ = expression.split()
        self._follows_real_time = minutes.startswith("*") or hours.startswith("*")

    def after(self, at_ms: int, count: int) -> list[int]:
        """Return the next due times after an instant; fewer if no more come in fifty years."""
        return list(islice(self.all_after(at_ms), count))

    def all_after(self, at_ms: int) -> Iterator[int]:
        """Yield the due times after an instant."""
        return map(_to_ms, self._times(EPOCH + at_ms * MILLISECOND))

    def latest(self, first_ms: int, last_ms: int, most: int) -> list[int]:
        """Return the last due times from one instant to another, both included, in their order."""
        span = most * MINUTE_MS
        while True:
            since = max(first_ms, last_ms - span)
            due = self._until(EPOCH + since * MILLISECOND, EPOCH + last_ms * MILLISECOND)
            found = deque(map(_to_ms, due), maxlen=most)
            if len(found) == most or since == first_ms:
                return list(found)
            span *= 4

    def count(self, first_ms: int, last_ms: int) -> int:
        """Return the number of due times from one instant to another, both included.

        A year takes some milliseconds, however many they are.
        """
        start, end = EPOCH + first_ms * MILLISECOND, EPOCH + (last_ms + 1) * MILLISECOND
        count = 0
        while start < end:
            local = local_time(self._zone, start)
            midnight = datetime.combine(local.date(), datetime.min.time())
            stop = min(end, start + (midnight + DAY - local))
            if stop - start == DAY and self._is_usual_day(start):
                count += self._count_of_day(local)
            else:
                count += sum(1 for _ in self._until(start, stop - MILLISECOND))
            start = stop
        return count

    def _is_usual_day(self, start: datetime) -> bool:
        """Return whether no change of clocks concerns the day that begins at an instant."""
        zone, offset = self._zone, offset_at(self._zone, start)
        around = start - NEAR_CHANGE, start + NEAR_CHANGE
        return all(offset_at(zone, each) == offset for each in around)

    def _count_of_day(self, day: datetime) -> int:
        fields = self._fields
        fits = day.month in fields.months and fields.match_day(day.date())
        return len(fields.minutes) * len(fields.hours) if fits else 0

    def _until(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Yield the due times from one instant to another, both included."""
        return takewhile(lambda due: due <= last, self._times(first - MILLISECOND))

    def _times(self, at: datetime) -> Iterator[datetime]:
        return self._real_times(at) if self._follows_real_time else self._local_times(at)

    def _real_times(self, at: datetime) -> Iterator[datetime]:
        """Yield instants whose local time fits: of each offset those while the zone has it."""
        offsets = find_offsets(self._zone, at.year)
        shifted = (self._times_of_offset(at, offset) for offset in offsets)
        for instant, offset in heapq.merge(*shifted):
            if offset_at(self._zone, instant) == offset:
                yield instant

    def _times_of_offset(
        self, at: datetime, offset: timedelta
    ) -> Iterator[tuple[datetime, timedelta]]:
        for local in CronSim(self._expression, at + offset):
            yield local - offset, offset

    def _local_times(self, at: datetime) -> Iterator[datetime]:
        """Yield the first instants of the local times that fit."""
        last = at
        for local in CronSim(self._expression, local_time(self._zone, at)):
            instant = first_instant(self._zone, local)
            if instant > last:
                last = instant
                yield instant


def _to_ms(instant: datetime) -> int:
    return (instant - EPOCH) // MILLISECOND


@functools.lru_cache(maxsize=MOST_KNOWN)
def parse_cron(text: str, timezone: str) -> CronTimes:
    """Return the due times of a cron expression in a time zone.

    The expression has five fields, or is one of `NAMES`. Raises InvalidTrigger, which names the
    member of the settings, `cron` or `timezone`.
    """
    zone = load_zone(timezone)
    expression = _read_fields(text)
    try:
        times = CronTimes(expression, zone)
    except CronSimError as error:
        raise InvalidTrigger("cron", _explain(str(error), expression)) from None
    if next(CronSim(expression, SINCE), None) is None:
        raise InvalidTrigger("cron", "No time ever fits this cron expression")
    return times


def _read_fields(text: str) -> str:
    """Return an expression of five fields. Raises InvalidTrigger."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidTrigger("cron", f"A cron expression has at most {MOST_CHARACTERS} characters")
    text = text.strip()
    if text.startswith("@"):
        if text not in NAMES:
            raise InvalidTrigger(
                "cron", f"A cron expression has five fields, or is one of {', '.join(NAMES)}"
            )
        return NAMES[text]
    fields = text.split()
    if len(fields) == len(FIELDS) + 1:
        reason = "A cron expression has five fields; there is none for seconds"
        raise InvalidTrigger("cron", reason)
    if len(fields) != len(FIELDS):
        reason = f"A cron expression has five fields: {', '.join(FIELDS)}"
        raise InvalidTrigger("cron", reason)
    for field, (name, size) in zip(fields, FIELDS.items(), strict=True):
        _check_steps(field, name, size)
    return " ".join(fields)


def _check_steps(field: str, name: str, size: int) -> None:
    """Raise InvalidTrigger for a step over the field's size, which would silently mean another."""
    for part in field.split(","):
        step = part.partition("/")[2]
        if step.isascii() and step.isdecimal() and int(step) > size:
            reason = f"The step {step} of the field '{name}' is over {size}"
            raise InvalidTrigger("cron", reason)


def _explain(message: str, expression: str) -> str:
    """Return the sentence for a refusal by cronsim, which names a field."""
    for field, name in zip(expression.split(), FIELDS, strict=True):
        if message == f"Bad {name}":
            return f"The field '{name}' of the cron expression cannot be '{field}'"
    return "The cron expression is not valid"
