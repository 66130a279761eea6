"""Due times of a schedule that wait for an occurrence: which of them start a run, which are missed.

A schedule has the due time of its next occurrence on record. Once that has passed, it and those
after it are planned here; each then gets its occurrence, in their order.
"""

from msgspec import Struct

from engine.triggers.cron import CronTimes
from engine.triggers.trigger import Missed

LATE_MS = 60_000
"""Age of a due time that was missed; one that waits to start waits as long."""
MOST_STARTED = 100
"""Missed times of a schedule that start, all of which are to start."""
MOST_ON_TIME = 2
"""Due times of a schedule that are not late yet."""
MOST_MISSED = 1_000
"""Occurrences of missed times; the oldest of more have one together."""


class MissedTime(Struct, frozen=True):
    """Due time that starts no run, with those that follow it and have no occurrence themselves."""

    at: int
    """Milliseconds since the epoch."""
    count: int = 1


class DueTimes(Struct, frozen=True, kw_only=True):
    """Due times that have passed, in their order: all missed ones come before those that start."""

    missed: tuple[MissedTime, ...] = ()
    started: tuple[int, ...] = ()


def plan_due(times: CronTimes, missed: Missed, *, next_at: int, since: int, now: int) -> DueTimes:
    """Return the due times up to `now`, of which `next_at` is the first.

    `next_at` may be a time of former settings; those after it are also after `since`, the time from
    which the settings count.
    """
    if next_at > now:
        return DueTimes()
    most = MOST_MISSED + MOST_STARTED + MOST_ON_TIME
    since = max(since, next_at) + 1
    found = times.latest(since, now, most) if since <= now else []
    folded = times.count(since, found[0] - 1) if len(found) == most else 0
    due = [next_at, *found]
    is_late = [now - at > LATE_MS for at in due]
    first = _first_started(sum(is_late), len(due), missed)
    late, started = due[:first], tuple(due[first:])
    # Those that are folded stand between the first one and the others.
    extra = max(0, len(late) - MOST_MISSED)
    if late and (folded or extra):
        extra = max(1, extra)
        oldest = MissedTime(next_at, extra + folded)
        return DueTimes(missed=(oldest, *map(MissedTime, late[extra:])), started=started)
    return DueTimes(missed=tuple(map(MissedTime, late)), started=started)


def _first_started(late: int, count: int, missed: Missed) -> int:
    """Return the position of the first due time that starts, of `count` with `late` late ones."""
    match missed:
        case Missed.SKIP:
            return late
        case Missed.LAST:
            return min(late, count - 1)
        case Missed.ALL:
            return max(0, late - MOST_STARTED)


def next_due(times: CronTimes, *, at: int, since: int) -> int | None:
    """Return the due time after `at`, under settings that count from `since`; None: none comes."""
    return next(times.all_after(max(at, since)), None)
