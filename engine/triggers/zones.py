"""Time zones by IANA name, as the package `tzdata` has them: all processes know the same rules."""

import functools
from datetime import datetime, timedelta, tzinfo
from importlib import resources
from zoneinfo import ZoneInfo

from engine.errors import InvalidTrigger

OFFSET_DAYS = 3 * 365
"""Days from the begin of a year in which the offsets of a zone are looked up."""


@functools.cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@functools.cache
def _load_zone(name: str) -> tzinfo:
    place = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with place.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def load_zone(name: str) -> tzinfo:
    """Return a zone by its exact name. Raises InvalidTrigger."""
    if name not in zone_names():
        reason = "The time zone must be a name of the IANA list, such as Europe/Berlin or UTC"
        raise InvalidTrigger("timezone", reason)
    return _load_zone(name)


@functools.lru_cache(maxsize=1_000)
def find_offsets(zone: tzinfo, year: int) -> tuple[timedelta, ...]:
    """Return the offsets from UTC that a zone has in a year and the two years after it."""
    start = datetime(year, 1, 1)
    days = (start + timedelta(days=number) for number in range(-1, OFFSET_DAYS))
    return tuple(sorted({offset_at(zone, day) for day in days}))


def local_time(zone: tzinfo, instant: datetime) -> datetime:
    """Return the local time of an instant; both are naive, the instant is in UTC."""
    return zone.fromutc(instant.replace(tzinfo=zone)).replace(tzinfo=None, fold=0)


def offset_at(zone: tzinfo, instant: datetime) -> timedelta:
    """Return the offset from UTC at an instant, which is naive and in UTC."""
    return local_time(zone, instant) - instant


def first_instant(zone: tzinfo, local: datetime) -> datetime:
    """Return the first instant in UTC with this local time.

    A local time that is skipped has the moment of the change of clocks, the first one after it.
    """
    late = local - _offset_of(zone, local, fold=0)
    if local_time(zone, late) == local:
        return late
    early, after = local - _offset_of(zone, local, fold=1), offset_at(zone, late)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if offset_at(zone, middle) == after:
            late = middle
        else:
            early = middle
    return late


def _offset_of(zone: tzinfo, local: datetime, fold: int) -> timedelta:
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset()
    return offset or timedelta()
