"""Bodies of inbound events: JSON, forms and texts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidBody
from gateway.hooks.event_body import MAX_FIELDS, parse_event_body

pytestmark = pytest.mark.A95c

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="b--1"'


def part(name: str, value: bytes, more: bytes = b"") -> bytes:
    head = b'--b--1\r\nContent-Disposition: form-data; name="%s"' % name.encode()
    return head + more + b"\r\n\r\n" + value + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("Application/JSON; charset=utf-8", b"[1]", [1]),
        ("application/json", b'"a text"', "a text"),
        ("application/cloudevents+json", b'{"id": "1"}', {"id": "1"}),
        ("", b'{"a": 1}', {"a": 1}),
        ("", b"{a: 1}", "{a: 1}"),
        ("", b"", ""),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("application/xml", "<ä/>".encode(), "<ä/>"),
        ("nonsense", b"x", "x"),
        (URLENCODED, b"a=1&b=x+y%20%C3%A4&empty=", {"a": "1", "b": "x y ä", "empty": ""}),
        (URLENCODED, b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        (f"{URLENCODED}; charset=UTF-8", b"payload=%7B%22a%22%3A1%7D", {"payload": '{"a":1}'}),
        (MULTIPART, part("a", b"1") + part("a", "ä".encode()) + b"--b--1--", {"a": ["1", "ä"]}),
        (
            MULTIPART,
            part("f", b"text", b'; filename="a.txt"\r\nContent-Type: text/plain') + b"--b--1--",
            {"f": "text"},
        ),
    ],
)
def test_a_body_is_read_by_its_type(content_type: str, data: bytes, expected: Any) -> None:
    assert parse_event_body(content_type, data) == expected


@pytest.mark.parametrize(
    ("content_type", "data", "message"),
    [
        ("application/json", b"{", "not valid JSON"),
        ("application/json", b"", "not valid JSON"),
        ("application/json", b'{"a": "\xff"}', "not valid JSON"),
        ("application/json", b"[" * 70 + b"]" * 70, "deeper than 64"),
        ("application/json", b"[" + b"0," * 100_000 + b"0]", "more than 100,000 values"),
        ("application/json", b"[92233720368547758080]", "beyond 64 bits"),
        ("application/json", b'{"a": 1e400}', "number that is too large"),
        ("text/plain", b"\xff", "not UTF-8"),
        ("", b"\xff", "not UTF-8"),
        (URLENCODED, b"a=%FF", "not UTF-8"),
        (URLENCODED, b"a&" * MAX_FIELDS, "more than 1,000 fields"),
        ("multipart/form-data", b"", "with a boundary"),
        (MULTIPART, b"", "ends before its boundary"),
        (MULTIPART, b"nonsense", "not well-formed"),
        (MULTIPART, part("a", b"1"), "ends before its boundary"),
        (MULTIPART, part("a", b"\xff") + b"--b--1--", "not UTF-8"),
        (MULTIPART, part("a", b"") * MAX_FIELDS + b"--b--1--x--b--1", "more than 1,000 fields"),
        (MULTIPART, b"--b--1\r\nA: b\r\n\r\n1\r\n--b--1--", "a field with a name"),
    ],
)
def test_a_wrong_body_is_refused(content_type: str, data: bytes, message: str) -> None:
    with pytest.raises(InvalidBody, match=message):
        parse_event_body(content_type, data)


@given(
    st.sampled_from(["", "application/json", URLENCODED, MULTIPART, "text/plain"]),
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from([part("a", b"1"), b"--b--1", b"--", b"\r\n", b"a=%", b"&"])).map(
            b"".join
        ),
    ),
)
def test_any_bytes_are_a_body_or_refused(content_type: str, data: bytes) -> None:
    try:
        parse_event_body(content_type, data)
    except InvalidBody as error:
        assert error.message


@given(st.text(st.characters(max_codepoint=255), max_size=100), st.binary(max_size=50))
def test_any_type_is_read(content_type: str, data: bytes) -> None:
    try:
        parse_event_body(content_type, data)
    except InvalidBody as error:
        assert error.message
