"""JSON in and out."""

import pytest

from engine.errors import InvalidBody
from gateway.wire import MAX_DEPTH, parse_object


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
