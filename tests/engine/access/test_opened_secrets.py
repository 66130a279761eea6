"""Redaction of opened secrets in texts, values and bytes."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets

VALUE = 'pass "word"/+é%&=?'
OPENED = OpenedSecrets({"TOKEN": VALUE})
FORMS = {
    "plain": VALUE,
    "read as Latin-1": VALUE.encode().decode("latin-1"),
    "read as Latin-1, as json": json.dumps(VALUE.encode().decode("latin-1"))[1:-1],
    "json": json.dumps(VALUE)[1:-1],
    "json in UTF-8": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "json with slashes escaped": json.dumps(VALUE)[1:-1].replace("/", "\\/"),
    "json with capitals": json.dumps(VALUE)[1:-1].replace("00e9", "00E9"),
    "url": quote(VALUE, safe=""),
    "url in lower case": quote(VALUE, safe="").replace("%C3%A9", "%c3%a9").lower(),
    "form": quote_plus(VALUE),
    "query as it is sent": quote(VALUE, safe="?/:@!$'()*,"),
    "base64": base64.b64encode(VALUE.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode(),
    "hex": VALUE.encode().hex(),
    "hex in capitals": VALUE.encode().hex().upper(),
    "base64 without padding": base64.b64encode(VALUE.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_replaced_in_a_text(form: str) -> None:
    assert OPENED.redact_text(f"<{form}>{form}") == "<•••>•••"
    assert OPENED.is_in(f"<{form}>")
    assert OPENED.is_in_bytes(f"<{form}>".encode())


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=4, max_size=40),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
def test_a_secret_within_longer_base64_leaves_no_more_than_a_byte_at_each_end(
    secret: str, before: bytes, after: bytes
) -> None:
    whole = base64.b64encode(before + secret.encode() + after).decode()

    left = OpenedSecrets({"TOKEN": secret}).redact_text(whole)

    assert "•••" in left
    around = len(base64.b64encode(before)) + len(base64.b64encode(after))
    assert len(left) <= len("•••") + around + 4


def test_values_are_redacted_with_their_keys() -> None:
    value: Any = {VALUE: [VALUE, {"a": f"x{VALUE}"}], "n": 5, "b": True, "none": None}

    assert OPENED.redact(value) == {
        "•••": ["•••", {"a": "x•••"}],
        "n": 5,
        "b": True,
        "none": None,
    }


def test_a_secret_of_digits_is_redacted_as_a_number_too() -> None:
    opened = OpenedSecrets({"PIN": "48151623"})

    assert opened.redact([48151623, 48151623.0, 4815, True]) == ["•••", "•••", 4815, True]


def test_of_secrets_within_each_other_the_longest_is_replaced() -> None:
    opened = OpenedSecrets({"A": "abcd", "B": "abcdefgh"})

    assert opened.redact_text("abcdefgh abcd") == "••• •••"


def test_spaces_around_a_secret_do_not_hide_it() -> None:
    assert OpenedSecrets({"A": " token\n"}).redact_text("token") == "•••"


def test_a_part_of_a_secret_is_hidden_on_request() -> None:
    opened = OpenedSecrets({"LOGIN": "ada:pass-word"})
    opened.hide("pass-word")
    opened.hide("abc")

    assert opened.redact_text("ada pass-word abc ada:pass-word") == "ada ••• abc •••"


def test_without_secrets_a_value_stays_the_same_object() -> None:
    value = {"a": ["b"]}

    assert NO_SECRETS.redact(value) is value
    assert not NO_SECRETS.is_in("anything")


def test_it_shows_names_alone() -> None:
    assert repr(OPENED) == "OpenedSecrets(['TOKEN'])"
