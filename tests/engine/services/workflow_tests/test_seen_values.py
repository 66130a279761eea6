"""Values beside a failed expectation: those of the paths that it names."""

import time
from typing import Any

import msgspec
import pytest

from engine.services.workflow_tests.seen_values import MOST_CHARACTERS, cut, seen_values

pytestmark = pytest.mark.A98f

VALUES: dict[str, Any] = {
    "result": {"text": "Hello", "items": [{"name": "a"}, {"name": "b"}], "odd key": 1},
    "nodes": {"text-1": {"outputs": {"text-out": "Hi"}, "creditsCost": 3}},
    "cost": 3,
    "ms": 12,
    "status": "completed",
}

TEXT_OUT = 'nodes["text-1"].outputs["text-out"]'


@pytest.mark.parametrize(
    ("expression", "seen"),
    [
        ("cost <= 2.0", {"cost": 3}),
        ("cost < 2.0 && ms < 5.0", {"cost": 3, "ms": 12}),
        ('result.text == "Bye"', {"result.text": "Hello"}),
        ('result.text.startsWith("B")', {"result.text": "Hello"}),
        ('result.text.contains("cost and ms")', {"result.text": "Hello"}),
        ('result["odd key"] == 2.0', {'result["odd key"]': 1}),
        ("result.items[1].name == 'c'", {"result.items[1].name": "b"}),
        (
            'nodes["text-1"].outputs["text-out"] == ""',
            {'nodes["text-1"].outputs["text-out"]': "Hi"},
        ),
        ("result.items[7].name == 'c'", {"result.items": VALUES["result"]["items"]}),
        ("result.nothing.more", {"result": VALUES["result"]}),
        ("result.items.all(each, each.cost > 1.0)", {"result.items": VALUES["result"]["items"]}),
        ("'status' == \"cost\"", {}),
        ("size(status) == 1", {"status": "completed"}),
        ("costs > 1.0", {}),
    ],
)
def test_an_expectation_shows_the_values_that_it_names(
    expression: str, seen: dict[str, Any]
) -> None:
    assert seen_values(expression, VALUES) == seen


def test_a_long_value_is_cut() -> None:
    assert cut("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS
    assert cut("a" * (MOST_CHARACTERS + 1)) == "a" * MOST_CHARACTERS + "…"
    assert cut(["a" * MOST_CHARACTERS]) == '["' + "a" * (MOST_CHARACTERS - 2) + "…"
    assert cut({"a": [1]}) == {"a": [1]}


def test_a_large_value_is_written_as_far_as_it_is_shown_and_once_for_each_path() -> None:
    items = list(range(2_000_000))
    texts = ["size(result)", *(f"size(result.a{step})" for step in range(200))]
    began = time.process_time()

    seen = seen_values(" + ".join(texts), {"result": items})

    assert [*seen] == ["result"]
    assert time.process_time() - began < 2, "it took seconds where each name wrote all of it"


@pytest.mark.parametrize(
    "value",
    [{}, [], {"a": []}, [[{"a": "ü\n"}, None, True, 1.5], -2], {"a": {"b": [1, 2]}, "c": "d"}],
)
def test_a_value_is_written_like_any_json(value: Any) -> None:
    long = [value, "x" * MOST_CHARACTERS]
    text = msgspec.json.encode(long).decode()
    assert cut(long) == text[:MOST_CHARACTERS] + "…"
    assert cut(value) == value
