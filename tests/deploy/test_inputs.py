from typing import Any

import pytest

from deploy.inputs import parse_inputs
from deploy.problems import CommandFailed

TYPES = {"name": "text", "count": "number", "size": "slider", "loud": "toggle", "data": "json"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("name=Ada", {"name": "Ada"}),
        ("name=", {"name": ""}),
        ("name=a=b", {"name": "a=b"}),
        ("name=12", {"name": "12"}),
        ("count=12", {"count": 12}),
        ("size=1.5", {"size": 1.5}),
        ("loud=yes", {"loud": True}),
        ("loud=False", {"loud": False}),
        ('data={"a": [1]}', {"data": {"a": [1]}}),
        ("other=12", {"other": "12"}),
        ("other:=12", {"other": 12}),
        ("name:=null", {"name": None}),
    ],
)
def test_an_input_is_read_by_the_type_of_its_field(word: str, expected: dict[str, Any]) -> None:
    assert parse_inputs([word], TYPES) == expected


@pytest.mark.parametrize(
    "word", ["name", "=x", ":=1", "count=many", "loud=perhaps", "data={", "x:=["]
)
def test_an_input_that_cannot_be_read_is_refused_in_a_sentence(word: str) -> None:
    with pytest.raises(CommandFailed, match=r"\.$"):
        parse_inputs([word], TYPES)
