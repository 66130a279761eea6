"""Rules for the names and values of secrets."""

import pytest

from engine.access.account_secrets import check_name, check_value
from engine.errors import InvalidSecret


@pytest.mark.parametrize("name", ["A", "STRIPE_KEY", "K2", "A" * 64])
def test_a_name_is_in_capitals(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a", "2A", "_A", "A-B", "A.B", "Ä", "A\n", " A", "A" * 65])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        check_name(name)

    assert caught.value.context["field"] == "name"


VALUES = ["abcdefgh", "user:password", "a b\nc\td e", "éééé", "é" * 4_096, "x" * 8_192]
WRONG = ["", None, 5, ["abcdefgh"], "abcdefg", "ééé", "x" * 8_193, "é" * 4_097, "canary\ud800"]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_any_text_of_8_bytes_to_8_kib(value: str) -> None:
    assert check_value(value) == value


@pytest.mark.parametrize("value", WRONG)
def test_other_values_are_refused_without_being_repeated(value: object) -> None:
    with pytest.raises(InvalidSecret) as caught:
        check_value(value)

    assert caught.value.context["field"] == "value"
    assert "canary" not in caught.value.message
