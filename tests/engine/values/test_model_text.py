"""JSON and lists in texts of models."""

from typing import Any

import pytest

from engine.values.model_text import NotJson, find_json, read_items


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n["a"]\n ', ["a"]),
        ("5", 5),
        ('\ufeff"a"', "a"),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is:\n```\n["a", "b"]\n```\nEnjoy.', ["a", "b"]),
        ('Here it is:\n  {"a": [1]}\nEnjoy.', {"a": [1]}),
        ('See [1].\n{"a": 1}', {"a": 1}),
        ('[not json]\n["a"]', ["a"]),
    ],
)
def test_json_is_found_alone_in_a_fence_and_in_lines_of_its_own(text: str, value: Any) -> None:
    assert find_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a cat",
        "5 cats",
        "[1] a source",
        'It is {"a": 1}',
        '{"a": NaN}',
        "[1e999]",
        '["\\ud800"]',
        "[" * 100_000,
        "[" * 70 + "]" * 70,
        '{"a": 1',
        "9" * 5_000,
        "```json",
    ],
)
def test_what_is_no_json_is_not_taken_for_it(text: str) -> None:
    with pytest.raises(NotJson):
        find_json(text)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('["a", "b"]', ["a", "b"]),
        ('{"items": ["a", "b"]}', ["a", "b"]),
        ('{"title": "T", "prompts": ["a"]}', ["a"]),
        ('```json\n["a", "b"]\n```', ["a", "b"]),
        ('["a", 1, null, {"b": [true]}]', ["a", "1", '{"b":[true]}']),
        ("[]", []),
        ("1. a cat\n2. a dog\n10) a cow", ["a cat", "a dog", "a cow"]),
        ("Sure:\n\n- a cat\n* a dog\n• a cow\n\nEnjoy!", ["a cat", "a dog", "a cow"]),
        ("a cat\n\n  a dog  \n", ["a cat", "a dog"]),
        ("a cat", ["a cat"]),
        ("[1] first\n[2] second", ["[1] first", "[2] second"]),
        ('{"a": ["x"], "b": ["y"]}', ['{"a": ["x"], "b": ["y"]}']),
        ("```\na cat\na dog\n```", ["a cat", "a dog"]),
        ("2 cats\n3.5 dogs", ["2 cats", "3.5 dogs"]),
        ("", []),
    ],
)
def test_items_are_read_from_json_from_bullets_and_from_lines(text: str, items: list[str]) -> None:
    assert read_items(text) == items


@pytest.mark.parametrize(
    "text",
    ['{"items": ["a", "b', '["a", "b', '```json\n[\n  "a",\n', '[{"a": 1}, {', '{ "items"'],
)
def test_json_that_breaks_off_is_no_list(text: str) -> None:
    with pytest.raises(NotJson):
        read_items(text)
