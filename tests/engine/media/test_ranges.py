import pytest

from engine.media.ranges import ByteRange, UnsatisfiableRange, parse_range
from tests.support.process.cpu_time import cpu_limit

SIZE = 1_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-", ByteRange(0, 1_000)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("Bytes=10-19", ByteRange(10, 20)),
        (" bytes=10-19 ", ByteRange(10, 20)),
        ("bytes=990-5000", ByteRange(990, 1_000)),
        ("bytes=999-", ByteRange(999, 1_000)),
        ("bytes=-1", ByteRange(999, 1_000)),
        ("bytes=-5000", ByteRange(0, 1_000)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=a-b", None),
        ("bytes=0-1,3-4", None),
        ("bytes=1-2-3", None),
        ("bytes=+1-2", None),
        ("bytes=٣-٤", None),
        ("items=0-1", None),
        ("bytes 0-1", None),
        ("bytes=0-99999999999999999999", None),
    ],
)
def test_one_range_is_read_and_all_else_is_the_whole(header, expected) -> None:
    assert parse_range(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=5000-"])
def test_a_range_behind_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(UnsatisfiableRange):
        parse_range(header, SIZE)


def test_ten_thousand_ranges_are_the_whole_at_once() -> None:
    headers = [
        "bytes=" + ",".join(f"{each}-" for each in range(10_000)),
        "bytes=" + "0-,-" * 20_000,
    ]

    with cpu_limit(0.2):
        found = [parse_range(header, SIZE) for header in headers]

    assert found == [None, None]
