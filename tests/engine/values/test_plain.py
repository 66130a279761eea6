import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.plain import MAX_DEPTH, fault, moment, parse_moment

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@given(value=PLAIN)
def test_what_has_no_fault_survives_json_and_the_record(value: Any) -> None:
    assert fault(value) is None
    assert json.loads(json.dumps(value)) == value
    assert msgpack.unpackb(msgpack.packb(value)) == value


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        "\ud800",
        2**64,
        -(2**63) - 1,
        b"bytes",
        object(),
        (1, 2),
        {1: 2},
        {"\udfff": 1},
    ],
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": [{"b": v}]}])
def test_what_json_cannot_express_has_a_fault_wherever_it_stands(bad: Any, wrap: Any) -> None:
    assert fault(wrap(bad))


def test_the_depth_is_bounded() -> None:
    assert fault(nested(MAX_DEPTH - 1)) is None
    assert "levels deep" in str(fault(nested(MAX_DEPTH)))
    assert "levels deep" in str(fault(nested(100_000)))


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_613_208_007, "2026-11-25T13:26:48.007Z"),
        (None, None),
    ],
)
def test_a_moment_is_shown_in_utc_with_milliseconds(
    milliseconds: int | None, shown: str | None
) -> None:
    assert moment(milliseconds) == shown


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.250Z", 1250),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T00:00:00.0009Z", 0),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_a_time_with_a_zone_is_read_in_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_moment(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "1", "2030-01-31", "2030-01-31T12:00:00", "2030-02-31T12:00:00Z"]
    + ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2030-01-31T12:00:00Z ", "2030\0"],
)
def test_other_texts_are_no_times(text: str) -> None:
    assert parse_moment(text) is None
