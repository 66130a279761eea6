"""JSON in and out."""

import pytest

from engine.errors import InvalidBody
from gateway.wire import MAX_DEPTH, moment, parse_object


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_a_body_may_be_nested_to_the_limit() -> None:
    assert parse_object(nested(MAX_DEPTH))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_a_body_nested_deeper_is_refused(depth: int) -> None:
    with pytest.raises(InvalidBody):
        parse_object(nested(depth))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
def test_an_integer_of_64_bits_is_kept_exactly(number: int) -> None:
    assert parse_object(b'{"a": [%d]}' % number) == {"a": [number]}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4_000])
def test_an_integer_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(InvalidBody):
        parse_object(b'{"a": [%d]}' % number)


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_613_208_007, "2026-11-25T13:26:48.007Z"),
        (None, None),
    ],
)
def test_a_moment_is_shown_in_utc_with_milliseconds(
    milliseconds: int | None, shown: str | None
) -> None:
    assert moment(milliseconds) == shown
