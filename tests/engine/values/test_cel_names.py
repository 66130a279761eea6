"""Names of variables: the list of CEL's own words is that of the library."""

import re
from pathlib import Path

import pytest
from cel_expr_python import cel as library

from engine.values.cel.environment import environment
from engine.values.cel.names import IDENTIFIER, OWN_WORDS, is_variable


def is_variable_of_the_library(name: str) -> bool:
    try:
        found = environment((name,)).compile(name).return_type().name()
    except RuntimeError:
        return False
    return str(found) == "DYN"


def words_of_the_library() -> list[str]:
    """Return the short lower-case words in its binary, among which are all that it reserves."""
    data = Path(str(library.__file__)).read_bytes()
    words = {match.decode() for match in re.findall(rb"\b[a-z][a-z_]{1,13}\b", data)}
    return sorted(words - {"value"})


@pytest.mark.parametrize("step", [20, pytest.param(1, marks=pytest.mark.thorough)])
def test_own_words_are_those_of_the_library(step: int) -> None:
    words = words_of_the_library()
    assert len(words) > 500 and set(words) >= {"while", "in", "null_type"}

    for word in {*words[::step], *OWN_WORDS}:
        assert is_variable(word) == is_variable_of_the_library(word), word


@pytest.mark.parametrize("name", ["a", "_", "__a", "size", "math", "optional", "A" * 64])
def test_other_words_are_names(name: str) -> None:
    assert is_variable(name) and is_variable_of_the_library(name)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a.b", "ä", "a\n", "value", "A" * 65, None, 1])
def test_what_is_no_identifier_is_none(name: object) -> None:
    assert not is_variable(name)


def test_own_words_look_like_names() -> None:
    assert all(IDENTIFIER.fullmatch(word) for word in OWN_WORDS)
