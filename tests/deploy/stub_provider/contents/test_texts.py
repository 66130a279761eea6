"""Echoes: marks, languages and options that the instructions name."""

import pytest

from deploy.stub_provider.contents.texts import echo


def test_an_echo_of_an_echo_is_marked_once() -> None:
    assert echo(echo("A mug")) == "(stub) A mug"
    assert echo(echo("A mug", system="Write in French.")) == "(stub) A mug"


def test_the_mark_names_the_language_of_the_instructions() -> None:
    assert echo("Hello", system="Translate it into German.") == "(stub, in German) Hello"
    assert echo("Hello in German") == "(stub) Hello in German"


@pytest.mark.parametrize(
    ("system", "answer"),
    [
        ("Answer with one of: technical, billing or other.", "billing"),
        ("Answer with one of these words: 'sales', 'bill'", "bill"),
        ("Answer with one of: red/green", "red"),
        ("It is one of those mails.", "(stub) My bill is wrong"),
    ],
)
def test_one_of_the_named_options_is_the_answer(system: str, answer: str) -> None:
    assert echo("My bill is wrong", system=system) == answer
