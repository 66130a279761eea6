"""Paths into answers: values found, and invalid paths."""

from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.models.calls.answer_paths import Path

ANSWER = {
    "id": "a-1",
    "data": [{"url": "one"}, {"b64": "two"}, {"url": "three"}, None],
    "deep": {"list": [[1, 2], [3]]},
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id", ["a-1"]),
        ("data[0].url", ["one"]),
        ("data[].url", ["one", "three"]),
        ("data[9].url", []),
        ("deep.list[][]", [1, 2, 3]),
        ("deep.list[1]", [[3]]),
        ("none", []),
        ("none.further", []),
        ("id.further", []),
        ("id[0]", []),
        ("absent", []),
    ],
)
def test_a_path_finds_everything_that_stands_there(text: str, found: list[Any]) -> None:
    path = Path.parse(text)

    assert path.find(ANSWER) == found
    assert path.first(ANSWER) == (found[0] if found else None)


def test_a_list_may_be_the_whole_answer() -> None:
    assert Path.parse("[].url").find([{"url": "x"}]) == ["x"]


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "a[b]", "$.a", "a[-1]", "a b", "a[0"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must be a path"):
        Path.parse(text)
