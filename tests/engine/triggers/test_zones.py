from datetime import datetime, timedelta

import pytest

from engine.errors import InvalidTrigger
from engine.triggers.zones import (
    find_offsets,
    first_instant,
    load_zone,
    local_time,
    offset_at,
    zone_names,
)

HOUR = timedelta(hours=1)


def test_all_zones_of_the_list_can_be_loaded() -> None:
    assert len(zone_names()) > 400
    for name in zone_names():
        offset_at(load_zone(name), datetime(2026, 6, 1))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "europe/berlin",
        "../zones",
        "Europe",
        "Europe/Berlin/",
        "/etc/passwd",
        "right/UTC",
        "localtime",
        "UTC\x00",
        "+02:00",
    ],
)
def test_only_names_of_the_list_are_zones(name: str) -> None:
    with pytest.raises(InvalidTrigger) as refused:
        load_zone(name)

    assert refused.value.context["field"] == "timezone"


def test_offsets_are_those_of_all_seasons() -> None:
    assert find_offsets(load_zone("Europe/Berlin"), 2026) == (HOUR, 2 * HOUR)
    assert find_offsets(load_zone("Australia/Lord_Howe"), 2026) == (10.5 * HOUR, 11 * HOUR)
    assert find_offsets(load_zone("Asia/Tokyo"), 2026) == (9 * HOUR,)


def test_a_doubled_local_time_has_its_first_instant() -> None:
    berlin = load_zone("Europe/Berlin")

    assert first_instant(berlin, datetime(2026, 10, 25, 2, 30)) == datetime(2026, 10, 25, 0, 30)
    assert local_time(berlin, datetime(2026, 10, 25, 1, 30)) == datetime(2026, 10, 25, 2, 30)


@pytest.mark.parametrize(
    ("zone", "local", "change"),
    [
        ("Europe/Berlin", datetime(2027, 3, 28, 2, 0), datetime(2027, 3, 28, 1, 0)),
        ("Europe/Berlin", datetime(2027, 3, 28, 2, 59), datetime(2027, 3, 28, 1, 0)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15), datetime(2026, 10, 3, 15, 30)),
        ("Pacific/Apia", datetime(2011, 12, 30, 12, 0), datetime(2011, 12, 30, 10, 0)),
    ],
)
def test_a_skipped_local_time_has_the_moment_of_the_change(
    zone: str, local: datetime, change: datetime
) -> None:
    assert first_instant(load_zone(zone), local) == change
