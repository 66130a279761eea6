"""Forms of answers as browsers send them."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.values.fields import parse_fields
from gateway.approvals.form import NO_FORM, NOT_DECIDED, REPEATED, UNKNOWN, SentForm, parse_form

pytestmark = pytest.mark.A94b

URLENCODED = "application/x-www-form-urlencoded"
OPTIONS = [1, "1.0", "b c"]
FIELDS = parse_fields(
    [
        {"name": "text", "type": "text", "default": "given"},
        {"name": "area", "type": "textarea"},
        {"name": "number", "type": "number"},
        {"name": "slider", "type": "slider", "options": [1, 2.5]},
        {"name": "pills", "type": "pills", "options": OPTIONS},
        {"name": "toggle", "type": "toggle"},
        {"name": "json", "type": "json"},
        {"name": "note", "type": "text"},
    ]
)


def parse(*pairs: tuple[str, str], decision: str = "approve") -> SentForm:
    named = [(f"fields.{name}", value) for name, value in pairs]
    return parse_form(FIELDS, URLENCODED, urlencode([("decision", decision), *named]).encode())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", " a\r\nb ", " a\r\nb "),
        ("area", "a\r\nb\r", "a\nb\r"),
        ("number", "7", 7),
        ("number", " -0.5e1 ", -5.0),
        ("number", "+.5", 0.5),
        ("number", "9" * 40, int("9" * 40)),
        ("slider", "2.5", 2.5),
        ("pills", "1", 1),
        ("pills", "1.0", "1.0"),
        ("pills", "none of them", "none of them"),
        ("toggle", "true", True),
        ("toggle", "false", False),
        ("json", ' {"a":\r\n [1, null]} ', {"a": [1, None]}),
        ("json", '"text"', "text"),
        ("json", "null", None),
        ("note", "of a field", "of a field"),
    ],
)
def test_a_text_is_the_value_of_its_field(name: str, text: str, value: Any) -> None:
    sent = parse((name, text))

    assert sent.filled.faults == {}
    assert sent.values == {name: value}
    assert type(sent.values[name]) is type(value)
    assert sent.note is None


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("number", "1,5", "This must be a number."),
        ("number", "9" * 65, "This must be a number."),
        ("number", "NaN", "This must be a number."),
        ("number", "١", "This must be a number."),
        ("toggle", "on", "This must be true or false."),
        ("json", "{", "This is not valid JSON"),
        ("json", "[" * 70 + "]" * 70, "deeper than 64"),
        ("json", "1e400", "number that is too large"),
        ("json", "[" + "0," * 100_000 + "0]", "more than 100,000 values"),
    ],
)
def test_a_text_that_is_no_value_is_a_fault_of_its_field(name: str, text: str, reason: str) -> None:
    sent = parse((name, text))

    assert list(sent.filled.faults) == [f"fields.{name}"]
    fault = sent.filled.faults[f"fields.{name}"]
    assert reason in fault and fault.endswith(".") and not fault.endswith("..")
    assert (sent.values, sent.filled.texts[f"fields.{name}"]) == ({}, text)


def test_fields_that_are_left_empty_are_left_out() -> None:
    sent = parse(*((each.name, "") for each in FIELDS))

    assert (sent.values, sent.filled.faults, sent.decision) == ({}, {}, "approve")


def test_the_note_and_a_field_of_that_name_are_two() -> None:
    body = b"decision=refuse&note=a%0D%0Ab&fields.note=c"

    sent = parse_form(FIELDS, f"{URLENCODED}; charset=utf-8", body)

    assert (sent.decision, sent.note, sent.values) == ("refuse", "a\nb", {"note": "c"})


@pytest.mark.parametrize(
    ("content_type", "body", "fault"),
    [
        ("application/json", b"{}", NO_FORM),
        ("", b"decision=approve", NO_FORM),
        (URLENCODED, b"", NOT_DECIDED),
        (URLENCODED, b"decision=Approve", NOT_DECIDED),
        (URLENCODED, b"decision=approve&other=1", UNKNOWN),
        (URLENCODED, b"decision=approve&fields.other=1", UNKNOWN),
        (URLENCODED, b"decision=approve&decision=approve", REPEATED),
        (URLENCODED, b"decision=approve&note=a&note=b", REPEATED),
        (URLENCODED, b"decision=approve&note=%ff", "The form is not UTF-8."),
        (URLENCODED, b"a&" * 1_001, "The form has more than 1,000 fields."),
    ],
)
def test_another_form_has_a_fault_as_a_whole(content_type: str, body: bytes, fault: str) -> None:
    assert parse_form(FIELDS, content_type, body).filled.faults == {"decision": fault}


@given(
    st.one_of(st.binary(max_size=200), st.text("abdeilnosrx.=&%+0F", max_size=60).map(str.encode))
)
@example(b"decision=approve&fields.json=%00&fields.number=1e")
def test_any_body_is_read_or_has_faults(body: bytes) -> None:
    for content_type in (URLENCODED, "multipart/form-data; boundary=x", "multipart/form-data"):
        sent = parse_form(FIELDS, content_type, body)

        assert sent.filled.faults or sent.decision in ("approve", "refuse")
        assert all(isinstance(text, str) for text in sent.filled.texts.values())
